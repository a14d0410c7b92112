/** How much room one's films take. */
export interface Room {
  stored_bytes: number
  most_bytes: number | null
  clips_of_the_day: number
  most_clips_a_day: number | null
}

/** From which part on a person hears that room is running out. */
const NEARLY = 0.8

/** What is left where it is worth a word before somebody runs into it; null where it is not. */
export function soon(room: Room): { bytes: number | null; clips: number | null } {
  const left = (taken: number, most: number | null) => (most !== null && taken >= most * NEARLY ? Math.max(most - taken, 0) : null)
  return { bytes: left(room.stored_bytes, room.most_bytes), clips: left(room.clips_of_the_day, room.most_clips_a_day) }
}
