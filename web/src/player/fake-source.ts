/** A ManagedMediaSource for tests, as far as we use one: what is appended says itself which seconds it is. */

export class FakeBuffer extends EventTarget {
  updating = false
  ranges: [number, number][] = []
  readonly appended: Uint8Array[] = []
  aborted = 0
  private readonly of: FakeManagedSource

  constructor(of: FakeManagedSource) {
    super()
    this.of = of
  }

  get buffered(): TimeRanges {
    const { ranges } = this
    return { length: ranges.length, start: (at: number) => ranges[at]![0], end: (at: number) => ranges[at]![1] }
  }

  /** A piece of two bytes is a second: where it begins, and where it ends. */
  appendBuffer(bytes: Uint8Array): void {
    if (this.updating) throw new DOMException('busy', 'InvalidStateError')
    this.updating = true
    this.of.readyState = 'open'
    setTimeout(() => {
      this.appended.push(bytes)
      if (bytes.length === 2) this.put(bytes[0]!, bytes[1]!)
      this.updating = false
      this.dispatchEvent(new Event('updateend'))
    })
  }

  abort(): void {
    this.aborted += 1
  }

  /** The browser, short of memory, lets go of a time. */
  evict(from: number, till: number): void {
    this.ranges = this.ranges.flatMap(([start, end]): [number, number][] => [[start, Math.min(end, from)], [Math.max(start, till), end]]).filter(([start, end]) => end > start)
    this.dispatchEvent(new Event('bufferedchange'))
  }

  private put(from: number, till: number): void {
    const all = [...this.ranges, [from, till] as [number, number]].sort((a, b) => a[0] - b[0])
    this.ranges = all.reduce<[number, number][]>((done, one) => {
      const last = done[done.length - 1]
      if (last && one[0] <= last[1]) last[1] = Math.max(last[1], one[1])
      else done.push([...one])
      return done
    }, [])
  }
}

export class FakeManagedSource extends EventTarget {
  static made: FakeManagedSource[] = []
  static isTypeSupported = () => true
  readyState: 'closed' | 'open' | 'ended' = 'closed'
  streaming = false
  duration = NaN
  ends = 0
  readonly buffer = new FakeBuffer(this)

  constructor() {
    super()
    FakeManagedSource.made.push(this)
  }

  open(): void {
    this.readyState = 'open'
    this.dispatchEvent(new Event('sourceopen'))
  }

  addSourceBuffer(): FakeBuffer {
    return this.buffer
  }

  endOfStream(): void {
    this.ends += 1
    this.readyState = 'ended'
    // As the standard has it: so whoever ends it without its last second cuts it short.
    this.duration = Math.max(...this.buffer.ranges.map(([, end]) => end))
  }

  wants(is: boolean): void {
    this.streaming = is
    this.dispatchEvent(new Event(is ? 'startstreaming' : 'endstreaming'))
  }
}

/** Makes it the source of this process, until the answer is called. */
export function managed(): () => void {
  const before = { source: Object.getOwnPropertyDescriptor(globalThis, 'ManagedMediaSource'), create: URL.createObjectURL, revoke: URL.revokeObjectURL }
  Object.defineProperty(globalThis, 'ManagedMediaSource', { value: FakeManagedSource, configurable: true })
  URL.createObjectURL = () => 'blob:fake'
  URL.revokeObjectURL = () => undefined
  FakeManagedSource.made = []
  return () => {
    if (before.source) Object.defineProperty(globalThis, 'ManagedMediaSource', before.source)
    else delete (globalThis as { ManagedMediaSource?: unknown }).ManagedMediaSource
    URL.createObjectURL = before.create
    URL.revokeObjectURL = before.revoke
  }
}
