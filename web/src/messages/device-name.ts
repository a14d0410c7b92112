/** "Firefox on Android": what its owner reads in the list of devices. */
const BROWSERS: [RegExp, string][] = [[/Firefox\//, 'Firefox'], [/Edg\//, 'Edge'], [/OPR\//, 'Opera'], [/Chrome\//, 'Chrome'], [/Safari\//, 'Safari']]
const SYSTEMS: [RegExp, string][] = [[/Android/, 'Android'], [/iPhone|iPad/, 'iOS'], [/Windows/, 'Windows'], [/Mac OS/, 'macOS'], [/CrOS/, 'ChromeOS'], [/Linux/, 'Linux']]

export function deviceName(agent: string): string {
  const of = (names: [RegExp, string][]) => names.find(([sign]) => sign.test(agent))?.[1]
  return [of(BROWSERS) ?? 'Browser', of(SYSTEMS)].filter(Boolean).join(' · ')
}
