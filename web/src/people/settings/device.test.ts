import assert from 'node:assert/strict'
import { test } from 'node:test'
import { device } from './device.ts'

const french = (key: string, values?: { program: string; system: string }) =>
  key === 'sessions.app' ? 'Une application' : `${values?.program} sur ${values?.system}`

for (const [said, read] of [
  ['Firefox on Android', 'Firefox sur Android'],
  ['Samsung Internet', 'Samsung Internet'],
  ['An app on iOS', 'Une application sur iOS'],
  ['An app', 'Une application'],
] as const)
  test(`"${said}" is read as "${read}"`, () => assert.equal(device(said, french), read))
