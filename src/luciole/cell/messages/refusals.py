"""What the delivery service refuses, in words that a person can act on."""

from __future__ import annotations

from luciole.cell.messages.model import (
    MAX_ATTACHMENT_BYTES,
    MAX_BACKUP_BYTES,
    MAX_DEVICES,
    MAX_KEY_PACKAGES,
    MAX_PEOPLE,
    MAX_REPORTED,
    MAX_REQUEST_MESSAGES,
)
from luciole.kit.errors import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    TooLarge,
    TooMany,
    Unavailable,
)


class MessagesOff(NotAllowed):
    code = "messages-off"
    sentence = "Messages are off for people under 16."
    next_step = "Talk below clips instead; messages open when your age band says 16."


class MinorsWriteToFriends(NotAllowed):
    code = "minors-write-to-friends"
    sentence = "Until you are 18, only friends can write to you."
    next_step = "Choose friends or nobody."


class NoSuchDevice(NotFound):
    code = "no-such-device"
    sentence = "This device does not exist or was removed."
    next_step = "Set messages up again on this device."


class DeviceKeyTaken(Conflict):
    code = "device-key-taken"
    sentence = "Another device has this key."
    next_step = "Make a new key on this device, and add it again."


class TooManyDevices(TooMany):
    code = "too-many-devices"
    sentence = f"A person has at most {MAX_DEVICES} devices with messages."
    next_step = "Remove one that you do not use any more, then add this one."


class BadKeyPackage(Invalid):
    code = "bad-key-package"
    sentence = "A key package is not one of this device, or not of the cipher suite of this cell."
    next_step = "Make it with this device's key and identity; then send it again."


class FilesTooOften(TooMany):
    code = "files-too-often"
    sentence = "You have sent 60 files within an hour, as many as one may."
    next_step = "Wait some minutes, then send it again."


class FilesTooLarge(TooMany):
    code = "files-too-large-together"
    sentence = "With this file you would send more than 536 MB today, as much as one may."
    next_step = "Send it tomorrow, or a smaller one."


class FilesOfTheMonth(TooMany):
    code = "files-of-30-days"
    sentence = (
        "With this file you would send more in messages within 30 days than this cell gives to one "
        "person."
    )
    next_step = "Send a smaller one, or wait; what you have sent is forgotten after 30 days."


class MessagesFull(Unavailable):
    code = "messages-full"
    sentence = "This cell has given away all its room for files of messages; nothing was stored."
    next_step = "Send text for now, try the file again later, and tell the operator of the cell."
    http_status = 507


class TooManyKeyPackages(TooMany):
    code = "too-many-key-packages"
    sentence = f"A device keeps at most {MAX_KEY_PACKAGES} key packages here."
    next_step = "Send fewer; others are asked for when these are used up."


class BadGroupInfo(Invalid):
    code = "bad-group-info"
    sentence = "The description of the group does not fit this conversation."
    next_step = "Send the group info of the epoch that the commit begins."


class CannotWrite(NotAllowed):
    code = "cannot-write"
    sentence = "This person does not take messages from you."
    next_step = "Follow each other first, or write below one of their clips."


class NotAFriend(NotAllowed):
    code = "not-a-friend"
    sentence = "Only friends can be added to a group."
    next_step = "Follow each other first, then add them."


class GroupFull(Conflict):
    code = "group-full"
    sentence = f"A group has at most {MAX_PEOPLE} people."
    next_step = "Begin another group."


class BadMembers(Invalid):
    code = "bad-members"
    sentence = "A conversation of two needs one other person, a group at least one, each once."
    next_step = "Correct the list of people, and send it again."


class DeviceLeftOut(Invalid):
    code = "device-left-out"
    sentence = "The welcomes do not fit the people: each one who is added needs a device of theirs."
    next_step = "Claim key packages again, and welcome those devices."


class PairExists(Conflict):
    code = "pair-exists"
    sentence = "You and this person have a conversation already."
    next_step = "Reload your conversations, and go on there."


class NoSuchConversation(NotFound):
    code = "no-such-conversation"
    sentence = "This conversation does not exist, or you are not in it."
    next_step = "Reload your conversations."


class ConversationOver(Conflict):
    code = "conversation-over"
    sentence = "The other person has left this conversation."
    next_step = "Begin a new one, if they take messages from you."


class NotSeated(Conflict):
    code = "not-seated"
    sentence = "This device is not in the conversation yet."
    next_step = "Join it with its group info, then send again."


class EpochPassed(Conflict):
    code = "epoch-passed"
    sentence = "The conversation has moved on since this was made."
    next_step = "Fetch what is new, then make it again."


class AcceptFirst(NotAllowed):
    code = "accept-first"
    sentence = "You have not accepted this request yet."
    next_step = "Accept it, then answer."


class WaitForAnswer(NotAllowed):
    code = "wait-for-answer"
    sentence = (
        f"Before your request is accepted, {MAX_REQUEST_MESSAGES} short texts are all you can send."
    )
    next_step = "Wait until they accept it."


class NotYoursToRemove(NotAllowed):
    code = "not-yours-to-remove"
    sentence = "Who has been in the group longest removes others."
    next_step = "Ask them, or leave the group yourself."


class MarksOff(NotAllowed):
    code = "marks-off"
    sentence = "You give no typing or read marks, so none are passed on."
    next_step = "Turn them on in the settings of messages first."


class AttachmentTooLarge(TooLarge):
    code = "attachment-too-large"
    sentence = f"A file in a message has at most {MAX_ATTACHMENT_BYTES // 10**5 / 10} MB."
    next_step = "Send a smaller one."


class BackupTooLarge(TooLarge):
    code = "backup-too-large"
    sentence = f"A backup of messages has at most {MAX_BACKUP_BYTES // 10**5 / 10} MB."
    next_step = "Leave older messages out of it."


class NoSuchAttachment(NotFound):
    code = "no-such-attachment"
    sentence = "This file is not there any more; files of messages are kept for 30 days."
    next_step = "Ask who sent it to send it again."


class NoBackup(NotFound):
    code = "no-backup"
    sentence = "There is no backup of your messages here."
    next_step = "Make one on a device that has them."


class ReportNotSigned(Invalid):
    code = "report-not-signed"
    sentence = "A message in this report was not signed by the device that it names."
    next_step = "Report it from the device that received it, without changes."


class BadReport(Invalid):
    code = "bad-report"
    sentence = f"A report has 1 to {MAX_REPORTED} messages of one person in this conversation."
    next_step = "Choose messages of one other person, then report again."
