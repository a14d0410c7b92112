"""Invents archives as TikTok's "Download your data" makes them, with every trap that is known.

No line of a real archive is in here. The same seed gives the same archive. What must never leave
the device, whatever a person ticks, says `canary` somewhere.
"""

from __future__ import annotations

import io
import json
import random
import zipfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Generation = Literal["G1", "G2", "G3"]
GENERATIONS: tuple[Generation, ...] = ("G1", "G2", "G3")
DATA_FILE = {"G1": "user_data.json", "G2": "user_data.json", "G3": "user_data_tiktok.json"}
# Stands in for a key that is there twice, which a dict cannot hold.
AGAIN = "\0again"
WORDS = ("moth", "lamp", "river", "orchard", "kettle", "violin", "harbour", "meadow", "pebble")
AUDIENCES = ("Everyone", "Friends", "Only me", "Followers", "Some new word")


@dataclass(frozen=True)
class Size:
    """How many rows of each kind."""

    watched: int = 6
    likes: int = 5
    favourites: int = 4
    following: int = 7
    posts: int = 5
    messages: int = 3


SMALL = Size()
# One real account, by the note on formats.
REALISTIC = Size(watched=9_339, likes=3_491, favourites=1_843, following=147, posts=60)


@dataclass
class Writer:
    """Rows that look like TikTok's."""

    seed: int
    size: Size
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self._at = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)

    def moment(self) -> datetime:
        """A later moment each time."""
        self._at += timedelta(seconds=self.random.randrange(3_600, 90_000))
        return self._at

    def date(self, *, zone: bool = False) -> str:
        return f"{self.moment():%Y-%m-%d %H:%M:%S}{' UTC' if zone else ''}"

    def number(self, at: datetime | None = None) -> str:
        """The number of a video: seconds since 1970 in its upper 32 bits."""
        return str((int((at or self.moment()).timestamp()) << 32) | self.random.getrandbits(32))

    def link(self) -> str:
        return f"https://www.tiktokv.com/share/video/{self.number()}/"

    def handle(self) -> str:
        return f"{self.random.choice(WORDS)}.{self.random.randrange(10_000)}"

    def text(self) -> str:
        return " ".join(self.random.choices(WORDS, k=4))

    def post(self, index: int, *, zone: bool) -> dict[str, Any]:
        """A video of the person's own; its title holds hashtags, one of them half a character."""
        at = self.moment()
        number = self.number(at - timedelta(seconds=40))
        titles = (
            f"{self.text()} #moth #été",
            "half a firefly \ud83d #glow",
            " ".join(f"#tag{n}" for n in range(34)),
            "N/A",
            "",
        )
        return {
            "Date": f"{at:%Y-%m-%d %H:%M:%S}{' UTC' if zone else ''}",
            "Link": f"https://v16m.tiktokcdn.com/video/{number}/?token=canary",
            "Likes": str(self.random.randrange(500)),
            "WhoCanView": AUDIENCES[index % len(AUDIENCES)],
            "AllowComments": "Yes",
            "AIGeneratedContent": "Yes" if index == 1 else "N/A",
            "Sound": "canary sound",
            "Location": "canary place",
            "Title": titles[index % len(titles)],
            "AddYoursText": "None",
            "NewField": f"canary {index}",
        }

    def links(self, many: int, *, upper: bool = True, key: str = "Link") -> list[dict[str, str]]:
        rows = [{"Date": self.date(), key: self.link()} for _ in range(many)]
        if upper:
            return rows
        return [{name.lower(): value for name, value in row.items()} for row in rows]

    def following(self) -> list[dict[str, str]]:
        rows = [
            {"Date": self.date(), "UserName": self.handle()} for _ in range(self.size.following)
        ]
        return [*rows, {"Date": self.date(), "UserName": "@Upper.Case"}, rows[0], {"UserName": ""}]

    def messages(self) -> dict[str, Any]:
        return {
            f"Chat History with {self.handle()}:": [
                {"Date": self.date(), "From": self.handle(), "Content": "canary message"}
                for _ in range(self.size.messages)
            ]
        }

    def profile(self) -> dict[str, Any]:
        return {
            "PlatformInfo": [{"Description": "canary", "Name": "N/A", "Profile Photo": "None"}],
            "accountRegion": "canary region",
            "bioDescription": "Films moths.\nAt night.",
            "birthDate": "canary 1999",
            "displayName": "Noor Moth\ud800",
            "emailAddress": "canary@example.org",
            "followerCount": 12,
            "inferredGender": "canary",
            "likesReceived": "340",
            "profilePhoto": "https://p16.tiktokcdn.com/canary.jpeg",
            "telephoneNumber": "canary +33",
            "userName": "noor.moth",
        }

    def off_tiktok(self) -> dict[str, Any]:
        at = self.date()
        row = {"TimeStamp": at, "Source": "canary shop", "Event": "canary"}
        return {"OffTikTokActivityDataList": [row]}

    def live(self) -> dict[str, Any]:
        room = {"Comments": [{"CommentContent": "canary", "RawTime": 1}], "Questions": None}
        placeholder: dict[str, Any] = {"Comments": [], "Questions": None, "Link": ""}
        return {"WatchLiveMap": {self.number(): room, self.number(): room, "-1": placeholder}}

    def settings(self) -> dict[str, Any]:
        return {
            "Private Account": "Enabled" if self.seed % 2 else "Disabled",
            "Interests": "canary|canary",
            "Push Notification": {"New Fans": "On"},
            "Who can see your following list::": "Only me",
        }

    def logins(self) -> list[dict[str, str]]:
        return [{"Date": self.date(zone=True), "IP": "canary 203.0.113.7", "DeviceModel": "canary"}]

    def devices(self) -> list[dict[str, Any]]:
        return [{"IDFA": "canary", "GAID": "", "UID": 7_234_567_890_123_456_789, "DID": "canary"}]


def made(generation: Generation, *, seed: int = 1, size: Size = SMALL) -> dict[str, Any]:
    """An archive as a dict; a key that ends in AGAIN stands for one that is there twice."""
    return {"G1": _g1, "G2": _g2, "G3": _g3}[generation](Writer(seed, size))


def text_of(archive: dict[str, Any]) -> str:
    """The JSON text, with keys that are there twice. All of it is ASCII, as TikTok's is not, so
    that half characters survive."""
    return json.dumps(archive, indent=1).replace(json.dumps(AGAIN)[1:-1], "") + "\n"


def zipped(files: dict[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of files by name, without a time of its own."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as folder:
        for name, content in files.items():
            folder.writestr(zipfile.ZipInfo(name, (2026, 1, 2, 3, 4, 6)), content, method)
    return buffer.getvalue()


def archive(generation: Generation, **options: Any) -> bytes:
    """The ZIP that TikTok gives."""
    text = text_of(made(generation, **options))
    return zipped({DATA_FILE[generation]: text.encode()})


TEXT_VARIANTS = {
    "en": {"Watch History.txt": "Date: 2024-05-06 07:08:09\nLink: N/A\n\n"},
    "fr": {"Historique de visionnage.txt": "Vous n'avez aucune donnée dans cette section\n"},
    "nl": {"Kijkgeschiedenis.txt": "Datum: 2024-05-06 07:08:09\nLink: n.v.t.\n\n"},
}


def text_variant(language: str) -> bytes:
    """The variant that has a text for each section, its names translated."""
    return zipped({name: text.encode() for name, text in TEXT_VARIANTS[language].items()})


def _favourites(writer: Writer) -> dict[str, Any]:
    many = writer.size.favourites
    return {
        "Favorite Videos": {"FavoriteVideoList": writer.links(many)},
        "Favorite Sounds": {"FavoriteSoundList": writer.links(2)},
        "Favorite Hashtags": {"FavoriteHashtagList": []},
        "Favorite Effects": {"FavoriteEffectsList": writer.links(1, key="EffectLink")},
        "Favorite Location": {"FavoriteLocationList": []},
        "Favorite Collection": {"FavoriteCollectionList": {}},
    }


def _likes(writer: Writer) -> dict[str, Any]:
    elsewhere = {"date": writer.date(), "link": "https://example.org/share/video/7/"}
    return {"ItemFavoriteList": [*writer.links(writer.size.likes, upper=False), elsewhere]}


def _watched(writer: Writer) -> dict[str, Any]:
    return {"VideoList": [{**row, "Title": ""} for row in writer.links(writer.size.watched)]}


def _posts(writer: Writer, *, zone: bool) -> dict[str, Any]:
    return {"VideoList": [writer.post(index, zone=zone) for index in range(writer.size.posts)]}


def _g1(writer: Writer) -> dict[str, Any]:
    following = writer.following()
    return {
        "Activity": {
            **_favourites(writer),
            "Follower List": {"FansList": [{"Date": writer.date(), "UserName": "canary.fan"}]},
            "Following List": {"Following": following},
            "Hashtag": {"HashtagList": []},
            "Like List": _likes(writer),
            "Login History": {"LoginHistoryList": writer.logins()},
            "Most Recent Location Data": {"LocationData": {"GpsData": "canary", "Date": "N/A"}},
            "Purchase History": {"SendGifts": {"SendGifts": []}, "BuyGifts": {"BuyGifts": []}},
            "Search History": {"SearchList": [{"Date": writer.date(), "SearchTerm": "canary"}]},
            "Share History": {"ShareHistoryList": []},
            "Status": {"Status List": writer.devices()},
            "Video Browsing History": _watched(writer),
        },
        "Ads and data": {
            "Ad Interests": {"AdInterestCategories": "canary, canary"},
            "Usage Data From Third-Party Apps And Websites": "canary",
        },
        "App Settings": {
            "Block": {"BlockList": [{"Date": writer.date(), "UserName": "canary.foe"}]},
            "Settings": {"SettingsMap": writer.settings()},
        },
        "Comment": {"Comments": {"CommentsList": [{"Date": writer.date(), "Comment": "canary"}]}},
        "Direct Messages": {"Chat History": {"ChatHistory": writer.messages()}},
        "Income Plus Wallet Transactions": {"Transaction History": {"TransactionsList": None}},
        "Poi Review": {"POI Review": {"ReviewsList": None}},
        "Profile": {
            "AIMoji": {"CreateDate": None, "AIMojiList": None},
            "Auto Fill": {"PhoneNumber": "canary", "Email": "N/A"},
            "Profile Information": {"ProfileMap": writer.profile()},
        },
        "Tiktok Live": {"Watch Live History": writer.live(), "Go Live History": {}},
        "Tiktok Shopping": {"Order History": {"OrderHistories": {"1": {"Shop": "canary"}}}},
        "Video": {
            "Videos": _posts(writer, zone=False),
            "RecentlyDeletedPosts": {"PostList": []},
        },
    }


def _g2(writer: Writer) -> dict[str, Any]:
    return {
        "Your Activity": {
            **_favourites(writer),
            "Follower": {"FansList": None},
            "Following": {"Following": writer.following()},
            "Like List": _likes(writer),
            "Login History": {"LoginHistoryList": writer.logins()},
            "Most Recent Location Data": {"LocationData": {"LastRegion": "canary"}},
            "Searches": {"SearchList": [{"Date": writer.date(), "SearchTerm": "canary"}]},
            "Status": {"Status List": writer.devices()},
            "Watch History": _watched(writer),
            "Dream Log": {"DreamList": [{"Date": writer.date(), "Dream": "canary"}]},
        },
        "App Settings": {
            "Block List": {"BlockList": None},
            "Settings": {"SettingsMap": writer.settings()},
        },
        "Comment": {"Comments": {"CommentsList": []}},
        "Post": {"Posts": _posts(writer, zone=False), "Story": {}},
        "Profile": {"Profile Info": {"ProfileMap": writer.profile()}},
        "Tiktok Live": {"Watch Live History": writer.live()},
        "TikTok Shop": {"Vouchers": {"Vouchers": []}, "Haggling": {"HaggleList": ["canary"]}},
        "Location Review": {"Location Reviews": {"ReviewsList": None}},
        "Ads and data": {"Off TikTok Activity": writer.off_tiktok()},
        "Direct Message": {"Direct Messages": {"ChatHistory": writer.messages()}},
    }


def _g3(writer: Writer) -> dict[str, Any]:
    off = writer.off_tiktok()
    following = writer.following()
    return {
        "Comment": {
            "Comments": {
                "App": 1,
                "CommentsList": [{"date": writer.date(zone=True), "comment": "canary"}],
            }
        },
        "Direct Message": {
            "Direct Messages": {"ChatHistory": writer.messages()},
            "Group Chat": {"GroupChat": {}},
            "Tako Chat History": {
                "TakoChatHistoryList": [
                    {"Chat Title": "canary", "Messages": [{"Content": {"Text": "canary"}}]}
                ]
            },
        },
        "Income+ Wallet": {
            "Coin Purchase History": {"CoinPurchaseHistoryList": [{"CoinAmount": "canary"}]},
            "Transaction History": {"TransactionsList": None},
        },
        "Likes and Favorites": {
            **_favourites(writer),
            "Collection": {},
            "Favorite Drama": {},
            "Like List": {"App": 1, **_likes(writer)},
        },
        "Location Review": {"Location Reviews": {"ReviewsList": [{"PlaceName": "canary"}]}},
        "Post": {
            "Posts": _posts(writer, zone=True),
            "Recently Deleted Posts": {"PostList": []},
            "Story": {},
        },
        "Profile And Settings": {
            "AI-Moji": {"CreateDate": "", "AIMojiList": None, "AISelfImage": {}},
            "Autofill": {"PhoneNumber": "canary", "Email": "N/A", "City": "None"},
            "Block List": {"App": {}, "BlockList": None},
            "Follower": {"App": {}, "IsFastLane": False, "FansList": []},
            "Following": {
                "App": {},
                "Following": following[:4],
                f"Following{AGAIN}": following[4:],
            },
            "Off TikTok Activity": off,
            "Profile Info": {"App": {}, "ProfileMap": writer.profile()},
            "ProfileViews": {"ProfileViewList": None},
            "Settings": {"App": {}, "SettingsMap": writer.settings()},
        },
        "TikTok Live": {
            "Go Live History": {"GoLiveList": None},
            "Watch Live History": writer.live(),
        },
        "TikTok Shop": {
            "Saved Address Information": {"SavedAddress": [{"adress_info": "canary"}]},
            "Vouchers": {"Vouchers": []},
        },
        "Your Activity": {
            "Activity Summary": {"ActivitySummaryMap": {"note": "canary"}},
            "Ad Interests": {"AdInterestCategories": ""},
            "Login History": {"LoginHistoryList": writer.logins()},
            "Off TikTok Activity": off,
            "Reposts": {"RepostList": writer.links(1)},
            "Searches": {"SearchList": [{"Date": writer.date(), "SearchTerm": "canary"}]},
            "Share History": {"ShareHistoryList": []},
            "Status": {"Status List": writer.devices()},
            "Watch History": _watched(writer),
        },
        "Brand New Chapter": {"Something": [{"Secret": "canary"}, {"Secret": "canary"}]},
        "Another Empty One": None,
    }
