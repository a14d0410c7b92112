/** How much of an archive is read. Whoever made the file, it must not fill a telephone's memory. */

/** The data file once unpacked; a busy account of many years has about 40 MiB. */
export const MOST_JSON_BYTES = 192 * 1024 * 1024
/** Deflate reaches 1,032 to 1; history of one pattern reaches about 60. */
export const MOST_RATIO = 250
/** Below this a high ratio harms nobody. */
export const RATIO_FROM_BYTES = 4 * 1024 * 1024
export const MOST_ENTRIES = 20_000
export const MOST_DIRECTORY_BYTES = 8 * 1024 * 1024
export const MOST_DEPTH = 64
/** Values of the JSON, each text, number, list and map counted. */
export const MOST_VALUES = 4_000_000
export const MOST_STRING_CHARS = 1024 * 1024

/** What the cell takes (`src/luciole/cell/rights`): more is left out, and the person is told. */
export const MOST_SUGGESTIONS = 10_000
export const MOST_FAVOURITES = 5_000
