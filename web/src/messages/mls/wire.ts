/** MLS messages as bytes, each taken for what it should be and nothing else. */
import { decodeMlsMessage, encodeMlsMessage, type GroupInfo, type KeyPackage, type MLSMessage, type Welcome } from 'ts-mls'
import { demand } from '../../verify/bytes.ts'

type Wireformat = MLSMessage['wireformat']

function read<Kind extends Wireformat>(bytes: Uint8Array, kinds: readonly Kind[]): Extract<MLSMessage, { wireformat: Kind }> {
  let decoded: [MLSMessage, number] | undefined
  try {
    decoded = decodeMlsMessage(bytes, 0)
  } catch {
    demand(false)
  }
  demand(decoded !== undefined && decoded[1] === bytes.length)
  const [message] = decoded
  demand(message.version === 'mls10' && (kinds as readonly string[]).includes(message.wireformat))
  return message as Extract<MLSMessage, { wireformat: Kind }>
}

export const readKeyPackage = (bytes: Uint8Array): KeyPackage => read(bytes, ['mls_key_package']).keyPackage
export const readWelcome = (bytes: Uint8Array): Welcome => read(bytes, ['mls_welcome']).welcome
export const readGroupInfo = (bytes: Uint8Array): GroupInfo => read(bytes, ['mls_group_info']).groupInfo
export const readHandshakeOrMessage = (bytes: Uint8Array) => read(bytes, ['mls_private_message', 'mls_public_message'])

export const writeKeyPackage = (keyPackage: KeyPackage) => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_key_package', keyPackage })
export const writeWelcome = (welcome: Welcome) => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_welcome', welcome })
export const writeGroupInfo = (groupInfo: GroupInfo) => encodeMlsMessage({ version: 'mls10', wireformat: 'mls_group_info', groupInfo })
export const writeMessage = (message: MLSMessage) => encodeMlsMessage(message)

/** A vector with the length of RFC 9420, section 2.1.2, from `at`; returns it and where it ends. */
export function readVector(bytes: Uint8Array, at: number): [Uint8Array, number] {
  demand(at < bytes.length)
  const size = 1 << (bytes[at]! >> 6)
  demand(size <= 4 && at + size <= bytes.length)
  let length = bytes[at]! & 0x3f
  for (let each = 1; each < size; each++) length = length * 256 + bytes[at + each]!
  const end = at + size + length
  demand(end <= bytes.length)
  return [bytes.slice(at + size, end), end]
}

/** How many bytes a vector of that length takes. */
export function vectorSize(length: number): number {
  return length + (length < 64 ? 1 : length < 16384 ? 2 : 4)
}
