"""A cell's transparency logs: commitments only, never personal data.

Pure, without database or network: `merkle` (trees and proofs), `tiles` (their shape in storage),
`note` (signatures), `policy` (whom to trust), `proof` (receipts), `entry` (what is logged) and
`seal` (nothing was left out).
"""
