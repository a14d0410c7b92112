/** Is this key press meant for the player, rather than for something that has the focus? */
export function isForPlayer(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return false
  if (document.querySelector('dialog[open]')) return false
  const target = event.target as HTMLElement
  if (target.isContentEditable || /^(TEXTAREA|SELECT)$/.test(target.tagName)) return false
  if (target.tagName === 'INPUT' && (target as HTMLInputElement).type !== 'range') return false
  // Space and Enter belong to the focused button or link.
  if ((event.key === ' ' || event.key === 'Enter') && target.closest('button, a, input')) return false
  return true
}
