/** Whom you trust (C2SP tlog-policy): which logs, which witnesses, how many of them. */
import { demand } from './bytes.ts'
import { COSIGNATURE, ED25519, type Key, parseKey, SUBTREE } from './note.ts'

const MAX_LINES = 1000

export interface Policy {
  logs: Key[]
  witnesses: Map<string, Key>
  groups: Map<string, { least: number; members: string[] }>
  quorum: string
}

/** A policy taken apart. Its names are octets to the standard; here they are text, UTF-8 only. */
export function parsePolicy(text: string): Policy {
  const lines = text.split('\n')
  demand(!/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text) && lines.pop() === '')
  demand(lines.length < MAX_LINES)
  const policy: Policy = { logs: [], witnesses: new Map(), groups: new Map(), quorum: '' }
  const { logs, witnesses, groups } = policy
  const grouped = new Set<string>()
  const isDefined = (name: string) => witnesses.has(name) || groups.has(name)
  const isNew = (name: string) => name !== 'none' && !isDefined(name)
  const isAgain = (key: Key, others: Iterable<Key>) =>
    [...others].some((other) => other.public.join() === key.public.join())
  for (const line of lines) {
    const [what, ...words] = line.split(/[ \t]+/).filter((word) => word !== '')
    if (what === undefined || what.startsWith('#')) continue
    if (what === 'log') {
      demand(words.length === 1 || words.length === 2)
      const key = parseKey(words[0]!, [ED25519])
      demand(!isAgain(key, logs))
      logs.push(key)
    } else if (what === 'witness') {
      demand(words.length === 2 || words.length === 3)
      const key = parseKey(words[1]!, [COSIGNATURE, SUBTREE])
      demand(isNew(words[0]!) && !isAgain(key, witnesses.values()))
      witnesses.set(words[0]!, key)
    } else if (what === 'group') {
      const [name, count, ...members] = words
      demand(name !== undefined && count !== undefined && isNew(name))
      for (const member of members) {
        demand(isDefined(member) && !grouped.has(member))
        grouped.add(member)
      }
      demand(/^(any|all|[1-9][0-9]{0,3})$/.test(count))
      const least = count === 'any' ? 1 : count === 'all' ? members.length : Number(count)
      demand(members.length > 0 && least <= members.length)
      groups.set(name, { least, members })
    } else {
      demand(what === 'quorum' && words.length === 1 && policy.quorum === '')
      demand(words[0] === 'none' || isDefined(words[0]!))
      policy.quorum = words[0]!
    }
  }
  demand(policy.quorum !== '')
  return policy
}

/** Whether cosignatures by these witnesses are enough. */
export function isEnough(policy: Policy, witnesses: Iterable<string>): boolean {
  const witnessed = new Set(['none', ...witnesses])
  // In the order of the file, so that members come before their group.
  for (const [name, { least, members }] of policy.groups) {
    if (members.filter((member) => witnessed.has(member)).length >= least) witnessed.add(name)
  }
  return witnessed.has(policy.quorum)
}
