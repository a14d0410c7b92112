import { mount } from 'svelte'
import './theme.css'
import Shell from './Shell.svelte'
import { startRouter } from './router.svelte.ts'
import { recall } from './memory.ts'
import { preferred, speak } from './i18n/index.svelte.ts'
import { session } from '../people/session.svelte.ts'

await speak(preferred(recall('locale')))
void session.load()
startRouter()
const target = document.getElementById('app')
if (target) mount(Shell, { target })

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  addEventListener('load', () => void navigator.serviceWorker.register('/sw.js'))
}
