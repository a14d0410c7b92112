/** Why a file cannot be read as TikTok's archive. Each code has words in `app/i18n/errors.*.json`. */
export type ArchiveFault =
  | 'archive-damaged'
  | 'archive-encrypted'
  | 'archive-not-json'
  | 'archive-not-tiktok'
  | 'archive-of-luciole'
  | 'archive-of-text'
  | 'archive-too-deep'
  | 'archive-too-large'
  | 'archive-two-data-files'
  | 'archive-without-data'

export class ArchiveRefused extends Error {
  readonly code: ArchiveFault

  constructor(code: ArchiveFault) {
    super(code)
    this.code = code
  }
}
