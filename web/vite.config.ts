import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** Writes sw.js beside index.html, with the list of shell files and a version made from their names. */
function serviceWorker(): Plugin {
  return {
    name: 'luciole-service-worker',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        // The files of the first page are those that index.html names, as Vite has left it.
        const html = bundle['index.html']
        const page = html?.type === 'asset' ? String(html.source) : ''
        const first = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path ?? '')
        const files = ['/', '/offline.html', '/offline.css', '/icons/luciole.svg', '/manifest.webmanifest', ...first]
        const version = createHash('sha256').update(files.join()).update(page).digest('hex').slice(0, 12)
        const source = readFileSync(new URL('./src/app/service-worker.js', import.meta.url), 'utf8')
          .replace('__SHELL__', JSON.stringify(files))
          .replace('__VERSION__', JSON.stringify(version))
        this.emitFile({ type: 'asset', fileName: 'sw.js', source })
      },
    },
  }
}

/** What the first page needs, or every page shares, comes in one file instead of twenty. */
const CORE = /\/node_modules\/(svelte|esm-env|clsx)\/|\/src\/(app|player|feed(?!\/why)|wellbeing\/(time|rules|Rest)|notify\/(live|toasts|Toasts|seen|words|wishes)|graph\/follows)|people\/(session|Ask)/
const LATER = /\.fr\.json|\/fr\.json|\/(abroad|rights|foryou|notify)\.en\.json/

const api = process.env['LUCIOLE_API'] ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [svelte(), serviceWorker()],
  build: {
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: { codeSplitting: { groups: [{ name: 'core', test: (id) => CORE.test(id) && !LATER.test(id) }] } },
    },
  },
  server: { proxy: { '/api': api, '/media': api } },
})
