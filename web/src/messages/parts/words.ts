/** Lines of a thread in words. */
import { t } from '../../app/i18n/index.svelte.ts'
import type { Conversation, Message, Notice } from '../engine/store.ts'
import { messages } from '../messages.svelte.ts'

/** What the list says of a conversation's last line. */
export function previewOf(conversation: Conversation): string {
  const { preview } = conversation
  if (conversation.trouble === 'untrusted') return t('messages.untrusted')
  if (!preview) return t('messages.preview.empty')
  const said = preview.kind === 'text' ? preview.text : preview.kind === 'notice' ? t(`messages.preview.${preview.text as 'joined'}`) : t(`messages.preview.${preview.kind as 'photo'}`)
  return preview.mine ? t('messages.preview.mine', { said }) : said
}

export function noticeOf(notice: Extract<Notice, { kind: 'notice' }>): string {
  const isMe = notice.personId === messages.me?.id
  const name = messages.name(notice.personId)
  switch (notice.what) {
    case 'joined-device':
      return isMe ? t('messages.notice.my-device') : t('messages.notice.joined-device', { name })
    case 'left-device':
      return isMe ? t('messages.notice.my-left-device') : t('messages.notice.left-device', { name })
    case 'joined':
      return isMe ? t('messages.notice.me-joined') : t('messages.notice.joined', { name })
    case 'left':
      return isMe ? t('messages.notice.me-left') : t('messages.notice.left', { name })
    case 'rejoined':
      return t('messages.notice.rejoined')
    default:
      return t('messages.notice.unreadable')
  }
}

/** Whether a line asks for a look: somebody may read along who did not before. */
export function isWarning(message: Message): boolean {
  return message.content.kind === 'notice' && (message.content.what === 'joined-device' || message.content.what === 'joined')
}

/** A text in pieces: words, and addresses that can be followed. */
export function pieces(text: string): { text: string; href?: string }[] {
  return text.split(/(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]'’»])/u).map((part, at) => (at % 2 === 1 ? { text: part, href: part } : { text: part })).filter((part) => part.text !== '')
}
