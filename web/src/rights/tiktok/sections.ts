/**
 * What the sections of TikTok's archive are and what becomes of each. Three generations of the layout are known; they differ in
 * where a section stands and what it is called, so that sections are known by their plain names wherever they stand.
 */
import { plain } from './field.ts'

/** offered: the person may tick it. refused: never taken, with the reason. left: there is no place for it here. */
export type Fate = 'offered' | 'refused' | 'left'
export type Offered = 'profile' | 'following' | 'favourites' | 'likes' | 'posts' | 'settings'
export type Refused = 'messages' | 'logins' | 'devices' | 'ads' | 'shop' | 'autofill' | 'location'
export type Left = 'comments' | 'followers' | 'blocks' | 'watched' | 'searches' | 'live' | 'shares' | 'others'
export type SectionId = Offered | Refused | Left

export const FATES: Record<SectionId, Fate> = {
  profile: 'offered',
  posts: 'offered',
  following: 'offered',
  favourites: 'offered',
  likes: 'offered',
  settings: 'offered',
  messages: 'refused',
  logins: 'refused',
  devices: 'refused',
  ads: 'refused',
  shop: 'refused',
  autofill: 'refused',
  location: 'refused',
  comments: 'left',
  followers: 'left',
  blocks: 'left',
  watched: 'left',
  searches: 'left',
  live: 'left',
  shares: 'left',
  others: 'left',
}

const NAMES: Record<SectionId, string> = {
  profile: 'profileinfo profileinformation',
  posts: 'posts videos',
  following: 'following followinglist',
  favourites: 'favoritevideos favoritesounds favoritehashtags favoriteeffects',
  likes: 'likelist',
  settings: 'settings',
  messages: 'directmessages chathistory groupchat takochathistory',
  logins: 'loginhistory',
  devices: 'status statuslist',
  ads: 'adinterests adsvisithistory adlinkhistory offtiktokactivity instantformadsresponses usagedatafromthirdpartyappsandwebsites adsbasedondatareceivedfrompartners',
  shop:
    'purchases purchasehistory coinpurchasehistory transactionhistory communicationwithshops currentpaymentinformation ' +
    'customersupporthistory orderdisputehistory orderhistory productbrowsinghistory productreviews returnsandrefundshistory ' +
    'savedaddressinformation shoppingcartlist tiktokfavoriteitem vouchers',
  autofill: 'autofill',
  location: 'mostrecentlocationdata locationreviews poireview favoritelocation',
  comments: 'comments',
  followers: 'follower followers followerlist',
  blocks: 'blocklist block',
  watched: 'watchhistory videobrowsinghistory minidramawatchhistory',
  searches: 'searches searchhistory',
  live: 'golivehistory golivesettings watchlivehistory watchlivesettings',
  shares: 'sharehistory reposts',
  others:
    'activitysummary aimoji collection donation favoritecollection favoritecomment favoritedrama favoritemoviesandtv favoriteplaylists ' +
    'fundraiser hashtag profileviews recentlydeletedposts stickers story',
}

/** Chapters whose every section meets one fate, also sections of a later year that nobody has described yet. */
const CHAPTERS: Record<string, SectionId> = {
  directmessage: 'messages',
  directmessages: 'messages',
  adsanddata: 'ads',
  tiktokshop: 'shop',
  tiktokshopping: 'shop',
  incomewallet: 'shop',
  incomepluswallettransactions: 'shop',
  locationreview: 'location',
  poireview: 'location',
  tiktoklive: 'live',
}

const BY_NAME = new Map<string, SectionId>(
  (Object.entries(NAMES) as [SectionId, string][]).flatMap(([id, names]) => names.split(' ').map((name) => [name, id] as const)),
)

/** Which section this is; `isKnown` is false where only its chapter is known. Null for a stranger. */
export function sectionOf(chapter: string, name: string): { id: SectionId; isKnown: boolean } | null {
  const [around, own] = [CHAPTERS[plain(chapter)], BY_NAME.get(plain(name))]
  if (around) return { id: around, isKnown: own !== undefined }
  return own ? { id: own, isKnown: true } : null
}

export type Generation = 'G1' | 'G2' | 'G3'

/** G1: until early 2025, G2: 2025, G3: since late 2025. Null for a layout with none of their marks. */
export function generationOf(chapters: string[]): Generation | null {
  const names = new Set(chapters.map(plain))
  if (names.has('likesandfavorites') || names.has('profileandsettings')) return 'G3'
  if (names.has('activity') || names.has('video')) return 'G1'
  if (names.has('youractivity')) return 'G2'
  return null
}

/** The fields that are known of the sections that are looked into; others are shown to the person. */
export const FIELDS: Partial<Record<SectionId, ReadonlySet<string>>> = {
  profile: new Set(
    (
      'app profilemap platforminfo description name platform profilephoto accountregion aiself biodescription birthdate displayname ' +
      'emailaddress followercount followingcount fundraiser inferredgender instagramlink lemon8link likesreceived profilevideo ' +
      'telephonenumber username youtubelink'
    ).split(' '),
  ),
  following: new Set('app isfastlane following followinglist date username'.split(' ')),
  favourites: new Set(
    'app date link effectlink favoritevideolist favoritesoundlist favoritehashtaglist favoriteeffectslist'.split(' '),
  ),
  likes: new Set('app date link itemfavoritelist'.split(' ')),
  posts: new Set(
    (
      'app videolist date link likes whocanview allowcomments allowstitches allowduets allowstickers allowsharingtostory ' +
      'contentdisclosure aigeneratedcontent sound location title addyourstext alternatetext coverimage'
    ).split(' '),
  ),
}
