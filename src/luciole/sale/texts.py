"""What people, and not programs, have to do when a cell is handed over."""

from __future__ import annotations

from luciole.config import Settings
from luciole.sale.buyer import Buyer
from luciole.sale.model import Contents


def hand_over_text(settings: Settings, contents: Contents, buyer: Buyer) -> str:
    """The sheet in the bundle about names and certificates."""
    keys = "".join(f"  {key}\n" for key in buyer.logs.values())
    return f"""\
The cell {contents.cell_id} ({settings.cell.name})
goes from {contents.seller} ({contents.seller_jurisdiction})
to {buyer.operator} ({buyer.jurisdiction}).

Keys of the logs from here on:
{keys}
To be done by people, in this order. Nothing here is secret.

1. The name. Passkeys belong to the name of the address: under another one nobody can use theirs.
   So {settings.origin} moves along. The seller unlocks the domain and gives the
   buyer the code for the transfer; both keep the registrar's confirmation.
2. DNS. Before the day of the sale the seller sets short times to live (300 s). On the day the buyer
   sets the addresses. Records of mail (MX, SPF, DKIM, DMARC), CAA and TLSA are the buyer's to set.
3. Certificates. The buyer orders new ones with new keys. The seller revokes its own, with the
   reason `cessationOfOperation`, and removes its account at the certificate authority.
4. Witnesses. Each gets the new keys of the logs from its own copy of the log; whoever runs one is
   told of the sale all the same. Cells that have peered take the new keys by themselves, from the
   logs, a minute after they have refused them or within the hour, if the address of the border has
   moved along; what their people have agreed to ends, because the operator is another.
5. Contracts. Processors of the seller (hosting, object store, mail) end; the buyer names its own
   in its notice. The seller tells the authority where the law asks for that.
6. Afterwards the seller runs ./luciole prove-removal with the buyer's receipt, and publishes what
   it prints; the buyer puts its hash into the log.
"""
