/**
 * What is inside a message: JSON, so that a report can be read by the person who reviews it. A field that a newer client adds is
 * passed over; a kind that it adds is shown as one that this client does not know.
 */
import { demand, fromUtf8, toUtf8 } from '../verify/bytes.ts'

export const MAX_TEXT = 4000
export const MAX_VOICE_S = 60
export const MAX_NAME = 60
const MAX_ATTACHMENT = 8 * 1024 * 1024

/** A sealed file at the cell, and what opens it. */
export interface Attachment {
  id: string
  /** AES-256-GCM, in base64. */
  key: string
  type: string
  size: number
}

export type Content =
  | { kind: 'text'; text: string }
  | { kind: 'clip'; clip_id: string; text?: string }
  | { kind: 'photo'; file: Attachment; width: number; height: number; text?: string }
  | { kind: 'voice'; file: Attachment; seconds: number; bars: number[] }
  | { kind: 'recall'; target: string }
  | { kind: 'name'; name: string }
  | { kind: 'unknown' }

export interface Payload {
  v: 1
  /** Of the message itself, the same on all devices. */
  id: string
  /** The sender's clock, in milliseconds. */
  at: number
  content: Content
}

export function writePayload({ id, at, content }: Payload): Uint8Array<ArrayBuffer> {
  return toUtf8(JSON.stringify({ v: 1, id, at, ...content }))
}

/** Throws Malformed where a known kind is not as it should be. */
export function readPayload(bytes: Uint8Array): Payload {
  let told: Record<string, unknown>
  try {
    told = JSON.parse(fromUtf8(bytes))
  } catch {
    demand(false)
  }
  demand(typeof told === 'object' && told !== null && told.v === 1)
  demand(typeof told.id === 'string' && ID.test(told.id) && typeof told.at === 'number' && Number.isSafeInteger(told.at))
  return { v: 1, id: told.id, at: told.at, content: contentOf(told) }
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const PHOTO = /^image\/(jpeg|webp|png)$/
const VOICE = /^audio\/(webm|mp4|ogg)(;.*)?$/

function contentOf(told: Record<string, unknown>): Content {
  switch (told.kind) {
    case 'text':
      return { kind: 'text', text: text(told.text) }
    case 'clip':
      demand(typeof told.clip_id === 'string' && ID.test(told.clip_id))
      return { kind: 'clip', clip_id: told.clip_id, ...beside(told.text) }
    case 'photo':
      return { kind: 'photo', file: file(told.file, PHOTO), width: side(told.width), height: side(told.height), ...beside(told.text) }
    case 'voice': {
      const { seconds, bars } = told
      demand(typeof seconds === 'number' && seconds >= 0 && seconds <= MAX_VOICE_S + 1)
      demand(Array.isArray(bars) && bars.length <= 64 && bars.every((bar) => typeof bar === 'number' && bar >= 0 && bar <= 1))
      return { kind: 'voice', file: file(told.file, VOICE), seconds, bars }
    }
    case 'recall':
      demand(typeof told.target === 'string' && ID.test(told.target))
      return { kind: 'recall', target: told.target }
    case 'name':
      demand(typeof told.name === 'string' && told.name.length <= MAX_NAME)
      return { kind: 'name', name: told.name }
    default:
      return { kind: 'unknown' }
  }
}

function text(value: unknown): string {
  demand(typeof value === 'string' && value.length > 0 && value.length <= MAX_TEXT)
  return value
}

function beside(value: unknown): { text?: string } {
  return value === undefined ? {} : { text: text(value) }
}

function side(value: unknown): number {
  demand(typeof value === 'number' && Number.isSafeInteger(value) && value > 0 && value <= 16384)
  return value
}

function file(value: unknown, types: RegExp): Attachment {
  demand(typeof value === 'object' && value !== null)
  const { id, key, type, size } = value as Record<string, unknown>
  demand(typeof id === 'string' && ID.test(id) && typeof key === 'string' && key.length === 44)
  demand(typeof type === 'string' && types.test(type))
  demand(typeof size === 'number' && Number.isSafeInteger(size) && size > 0 && size <= MAX_ATTACHMENT)
  return { id, key, type, size }
}
