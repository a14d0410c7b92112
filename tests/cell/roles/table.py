"""Who gets what from every address of the API that is not for staff alone (those are in
`tests/cell/console/test_roles.py`): a table to read, by what is common to addresses.

A line in capitals begins a family and says what holds in it. A line with an address says what is
different there, `who=code of the refusal`; who is not named gets what was asked for (`ok`).
`others` are all but `member`, whose things the paths name; `all` is everybody. What names fewer
people counts more, and of the same people the address more than its family.

A code that everybody gets is of the thing and not of the role: here are no terms to read, no peers
to send to, no request to answer. Whoever gets that code was let through to the thing.
"""

from __future__ import annotations

from tests.cell.roles.everybody import WHO

TABLE = """
FOR EVERYBODY, WITH OR WITHOUT AN ACCOUNT:
GET    /.well-known/luciole/build.json
GET    /.well-known/luciole/content-credentials.pem
GET    /api/cell
GET    /api/cell/ages
GET    /api/cell/imprint all=no-text
GET    /api/cell/sale
GET    /api/cell/terms all=no-text
GET    /api/clips/{clip_id}
GET    /api/clips/{clip_id}/captions.vtt
GET    /api/clips/{clip_id}/comments
GET    /api/clips/{clip_id}/comments/since/{comment_id}
GET    /api/comments/{comment_id}
GET    /api/comments/{comment_id}/replies
GET    /api/contacts/terms
GET    /api/erasures/{ticket}
GET    /api/feeds/for-you
GET    /api/feeds/for-you/how
GET    /api/feeds/for-you/pages/{page_id}/{slot}/why
POST   /api/feeds/for-you/signals
GET    /api/feeds/for-you/weights
GET    /api/feeds/latest
GET    /api/glass
GET    /api/glass/crossings
GET    /api/hashtags/{tag} all=no-such-hashtag
GET    /api/hashtags/{tag}/clips
GET    /api/live
GET    /api/notices
GET    /api/notices/report
GET    /api/notices/{notice_id}
GET    /api/orders
GET    /api/people/{handle}
GET    /api/people/{handle}/clips
GET    /api/people/{handle}/collections
GET    /api/people/{handle}/followers
GET    /api/people/{handle}/following
GET    /api/people/{handle}/likes all=likes-not-shown
GET    /api/people/{handle}/reposts
GET    /api/report-form
POST   /api/report-form
GET    /api/report-form/{code}
POST   /api/report-form/{code}/appeal all=no-appeal
POST   /api/search
POST   /api/search/clips
POST   /api/search/people
POST   /api/sessions
DELETE /api/sessions/current
POST   /api/sessions/passkey all=passkey-refused
POST   /api/sessions/passkey-options
POST   /api/sessions/recovery all=wrong-sign-in
GET    /api/sign-up
POST   /api/sign-up
POST   /api/sign-up/passkey-options
POST   /api/sign-up/requests all=not-awaited
POST   /api/sign-up/requests/state all=no-such-ticket
POST   /api/sign-up/work
GET    /api/sounds/{sound_id}
GET    /api/sounds/{sound_id}/clips
GET    /api/statements/export
GET    /api/statements/{decision_id}
GET    /api/transparency
GET    /api/transparency.csv
GET    /api/trends
OPTIONS /api/uploads
GET    /healthz
GET    /media/{key}
HEAD   /media/{key}
GET    /readyz

FOR WHO IS SIGNED IN, ABOUT THEMSELVES, ALSO WHILE THEY ARE SUSPENDED: visitor=not-signed-in
DELETE /api/clips/{clip_id}/favourite
DELETE /api/clips/{clip_id}/like
DELETE /api/clips/{clip_id}/repost
DELETE /api/comments/{comment_id}/like
GET    /api/contacts
GET    /api/contacts/filter all=contacts-not-offered
DELETE /api/contacts/{kind}/findable
GET    /api/feeds/following
DELETE /api/feeds/for-you/hidden
PUT    /api/feeds/for-you/mode
POST   /api/feeds/for-you/reset
GET    /api/feeds/for-you/settings
GET    /api/feeds/friends
GET    /api/me
GET    /api/me/abroad
DELETE /api/me/abroad/consents/{act}
GET    /api/me/abroad/sheets/{act} all=no-peers
PUT    /api/me/age-band
DELETE /api/me/avatar
GET    /api/me/away/{distance}
DELETE /api/me/came-from
GET    /api/me/came-from
GET    /api/me/circles
GET    /api/me/collections
GET    /api/me/comments
GET    /api/me/comments/held
GET    /api/me/contacts
DELETE /api/me/contacts/{kind}
PUT    /api/me/contacts/{kind}
GET    /api/me/conversation
GET    /api/me/crossings
DELETE /api/me/crossings/{crossing_id} all=no-such-crossing
GET    /api/me/crossings/{crossing_id}/receipt all=no-such-crossing
GET    /api/me/data
DELETE /api/me/erasure
GET    /api/me/erasure all=not-leaving
POST   /api/me/erasure
GET    /api/me/exports
POST   /api/me/exports
GET    /api/me/family
PUT    /api/me/family/pairings/{pairing_id}/answer all=no-such-pairing
PUT    /api/me/family/time all=not-paired
GET    /api/me/favourites
GET    /api/me/follow-requests
DELETE /api/me/follow-requests/{handle} all=no-such-request
PUT    /api/me/follow-requests/{handle} all=no-such-request
DELETE /api/me/followers/{handle}
GET    /api/me/friends
DELETE /api/me/imported/carried
GET    /api/me/imported/carried
DELETE /api/me/imported/favourites
GET    /api/me/imported/favourites
PUT    /api/me/imported/favourites
DELETE /api/me/imported/suggestions
GET    /api/me/imported/suggestions
PUT    /api/me/imported/suggestions
GET    /api/me/imports
POST   /api/me/imports member=not-fresh
GET    /api/me/journal
GET    /api/me/journal/proof all=no-checkpoint
GET    /api/me/journal/summary
GET    /api/me/journal/{n}/receipt all=no-checkpoint
GET    /api/me/label-key
GET    /api/me/mentionable
DELETE /api/me/moved
GET    /api/me/moved
PUT    /api/me/moved
GET    /api/me/passkeys
POST   /api/me/passkeys all=passkey-refused
POST   /api/me/passkeys/options
PUT    /api/me/password
GET    /api/me/past-clips
PUT    /api/me/past-clips
DELETE /api/me/push
GET    /api/me/push
PUT    /api/me/push all=bad-push-address
GET    /api/me/quotes
PUT    /api/me/quotes teen=quotes-closed
POST   /api/me/recovery-codes
GET    /api/me/room
GET    /api/me/shown-likes
PUT    /api/me/shown-likes
GET    /api/me/terms
POST   /api/me/terms all=no-text
DELETE /api/messages/backup teen=no-backup suspended=no-backup
GET    /api/messages/backup all=no-backup
GET    /api/messages/conversations
GET    /api/messages/devices
GET    /api/messages/people/{handle}/devices teen=cannot-write
GET    /api/messages/settings
GET    /api/notifications
PUT    /api/notifications/kinds/{kind}
POST   /api/notifications/read
GET    /api/notifications/settings
PATCH  /api/notifications/settings
GET    /api/notifications/unread
DELETE /api/people/{handle}/away/{distance}
DELETE /api/people/{handle}/follow
GET    /api/reports
POST   /api/reports
GET    /api/sessions
POST   /api/sessions/current/proof
GET    /api/statements

FOR WHO IS SIGNED IN AND NOT SUSPENDED: visitor=not-signed-in suspended=account-suspended
POST   /api/clips/{clip_id}/comments
PUT    /api/clips/{clip_id}/favourite
PUT    /api/clips/{clip_id}/like
PUT    /api/clips/{clip_id}/repost member=cannot-repost
PUT    /api/comments/{comment_id}/like
POST   /api/contacts/buckets all=contacts-not-offered
POST   /api/contacts/filter all=contacts-not-offered
POST   /api/contacts/points all=contacts-not-offered
POST   /api/contacts/{kind}/code all=contacts-no-address
PUT    /api/contacts/{kind}/code all=contacts-wrong-code
PUT    /api/contacts/{kind}/findable all=contacts-not-offered
PATCH  /api/me
PUT    /api/me/abroad/consents/{act} all=no-peers
PUT    /api/me/avatar
PUT    /api/me/came-from all=bad-former-address
POST   /api/me/circles
POST   /api/me/collections
PATCH  /api/me/conversation
POST   /api/me/family/claims all=no-such-family-code
POST   /api/me/family/codes
PUT    /api/me/handle
PUT    /api/messages/backup teen=messages-off
POST   /api/messages/devices teen=messages-off
POST   /api/messages/key-packages/claim teen=messages-off
PATCH  /api/messages/settings teen=messages-off
PUT    /api/people/{handle}/away/{distance}
PUT    /api/people/{handle}/follow
POST   /api/uploads

FOR THE OWNER ALONE, ALSO WHILE THEY ARE SUSPENDED: visitor=not-signed-in
DELETE /api/clips/{clip_id} others=no-such-clip
GET    /api/clips/{clip_id}/audience others=no-such-clip
DELETE /api/clips/{clip_id}/captions others=no-such-clip
GET    /api/clips/{clip_id}/quotes others=no-such-clip
GET    /api/clips/{clip_id}/reach others=no-such-clip
DELETE /api/collections/{collection_id} others=no-such-collection
DELETE /api/collections/{collection_id}/clips/{clip_id} others=no-such-collection
DELETE /api/comments/{comment_id} others=no-such-comment
DELETE /api/comments/{comment_id}/pin others=no-such-comment
DELETE /api/me/circles/{circle_id} others=no-such-circle
DELETE /api/me/exports/{export_id} others=no-such-export
GET    /api/me/exports/{export_id} others=no-such-export
GET    /api/me/exports/{export_id}/file others=no-such-export
HEAD   /api/me/exports/{export_id}/file others=no-such-export
DELETE /api/me/family/pairings/{pairing_id} others=no-such-pairing
GET    /api/me/family/pairings/{pairing_id}/seen others=no-such-pairing
DELETE /api/me/imports/{import_id} others=no-such-import
GET    /api/me/imports/{import_id} others=no-such-import
HEAD   /api/me/imports/{import_id}/file others=no-such-import
PATCH  /api/me/imports/{import_id}/file others=no-such-import member=wrong-offset
DELETE /api/me/passkeys/{passkey_id} others=no-such-passkey
GET    /api/messages/attachments/{attachment_id} others=no-such-attachment
GET    /api/messages/conversations/{conversation_id}/group-info
    others=no-such-conversation teen=messages-off
POST   /api/messages/conversations/{conversation_id}/leave others=no-such-conversation
DELETE /api/messages/conversations/{conversation_id}/messages/{message_id}
    others=no-such-conversation
DELETE /api/messages/conversations/{conversation_id}/mute others=no-such-conversation
PUT    /api/messages/conversations/{conversation_id}/mute others=no-such-conversation
DELETE /api/messages/devices/{device_id} others=no-such-device
POST   /api/messages/devices/{device_id}/acks others=no-such-device
GET    /api/messages/devices/{device_id}/inbox others=no-such-device
GET    /api/messages/devices/{device_id}/key-packages others=no-such-device
POST   /api/messages/reports others=no-such-conversation teen=messages-off
POST   /api/reports/{report_id}/appeal others=no-such-report
DELETE /api/sessions/{session_id} others=no-such-session
POST   /api/statements/{decision_id}/appeal others=no-such-statement
DELETE /api/uploads/{upload_id} others=no-such-upload
HEAD   /api/uploads/{upload_id} others=no-such-upload

FOR THE OWNER ALONE, WHILE THEY ARE NOT SUSPENDED: visitor=not-signed-in suspended=account-suspended
POST   /api/clips others=no-such-upload
PATCH  /api/clips/{clip_id} others=no-such-clip
PUT    /api/clips/{clip_id}/captions others=no-such-clip
PUT    /api/clips/{clip_id}/quotes others=no-such-clip
PUT    /api/clips/{clip_id}/reach others=no-such-clip
PATCH  /api/collections/{collection_id} others=no-such-collection
PUT    /api/collections/{collection_id}/clips/{clip_id} others=no-such-collection
PUT    /api/comments/{comment_id}/approval others=no-such-comment
PUT    /api/comments/{comment_id}/pin others=no-such-comment
PUT    /api/comments/{comment_id}/reach others=no-such-comment member=not-from-elsewhere
PUT    /api/me/circles/{circle_id} others=no-such-circle
POST   /api/me/family/pairings/{pairing_id}/confirm others=no-such-pairing
PUT    /api/me/family/pairings/{pairing_id}/limits others=no-such-pairing
POST   /api/messages/conversations others=no-such-device teen=messages-off
POST   /api/messages/conversations/{conversation_id}/accept
    others=no-such-conversation teen=messages-off
POST   /api/messages/conversations/{conversation_id}/attachments
    others=no-such-conversation teen=messages-off
POST   /api/messages/conversations/{conversation_id}/commits others=no-such-device teen=messages-off
POST   /api/messages/conversations/{conversation_id}/messages
    others=no-such-device teen=messages-off
POST   /api/messages/conversations/{conversation_id}/signals
    others=no-such-device teen=messages-off member=marks-off
POST   /api/messages/devices/{device_id}/key-packages others=no-such-device teen=messages-off
PATCH  /api/sounds/{sound_id} others=no-such-sound
PATCH  /api/uploads/{upload_id} others=no-such-upload

FOR THE OWNER ALONE; VISITORS ARE NOT ASKED TO SIGN IN:
GET    /api/collections/{collection_id} others=no-such-collection
GET    /api/collections/{collection_id}/clips others=no-such-collection
"""


def table(text: str = TABLE) -> dict[tuple[str, str], dict[str, str]]:
    """What each of WHO gets, by method and path: `ok` or the code of a refusal."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    family: dict[str, str] = {}
    # A line that begins with a blank goes on with the one before.
    for line in filter(None, text.replace("\n ", " ").splitlines()):
        if line.startswith("FOR "):
            family = _words(line.partition(":")[2].split())
            continue
        method, path, *words = line.split()
        row = dict.fromkeys(WHO, "ok")
        for who in ("all", "others", *WHO):
            for said in (family, _words(words)):
                if who in said:
                    row |= dict.fromkeys(_meant(who), said[who])
        assert (method, path) not in found, f"{method} {path} is there twice."
        found[method, path] = row
    return found


def _words(words: list[str]) -> dict[str, str]:
    said = dict(word.split("=") for word in words)
    assert set(said) <= {"all", "others", *WHO}, f"Nobody is called so: {said}"
    return said


def _meant(who: str) -> tuple[str, ...]:
    if who == "all":
        return WHO
    return tuple(one for one in WHO if one != "member") if who == "others" else (who,)
