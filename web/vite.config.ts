import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

/** Writes sw.js beside index.html, with the list of shell files and a version made from their names. */
function serviceWorker(): Plugin {
  return {
    name: 'luciole-service-worker',
    apply: 'build',
    generateBundle(_options, bundle) {
      const entry = Object.values(bundle).find((file) => file.type === 'chunk' && file.isEntry)
      const first = new Set<string>()
      const follow = (name: string) => {
        const file = bundle[name]
        if (first.has(name) || file?.type !== 'chunk') return
        first.add(name)
        file.imports.forEach(follow)
      }
      if (entry) follow(entry.fileName)
      const styles = Object.keys(bundle).filter((name) => name.endsWith('.css'))
      const shell = ['/', '/offline.html', '/icons/luciole.svg', '/manifest.webmanifest']
      const files = [...shell, ...[...first, ...styles].map((name) => `/${name}`)]
      const page = readFileSync(new URL('./index.html', import.meta.url))
      const version = createHash('sha256').update(files.join()).update(page).digest('hex').slice(0, 12)
      const source = readFileSync(new URL('./src/app/service-worker.js', import.meta.url), 'utf8')
        .replace('__SHELL__', JSON.stringify(files))
        .replace('__VERSION__', JSON.stringify(version))
      this.emitFile({ type: 'asset', fileName: 'sw.js', source })
    },
  }
}

const api = process.env['LUCIOLE_API'] ?? 'http://127.0.0.1:8000'

export default defineConfig({
  plugins: [svelte(), serviceWorker()],
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  server: { proxy: { '/api': api, '/media': api } },
})
