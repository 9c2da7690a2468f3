"""The rooms of an account: which are heard, which invitations are accepted, and what is known of each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from rapport.core.errors import GiveUp, InvalidPost
from rapport.networks.base import Account
from rapport.networks.matrix.parse import Room, display_name, room_name
from rapport.networks.matrix.wire import Wire, segment
from rapport.networks.payload import take

_MOST_NAMES = 50  # people of one room whose name is asked for one by one


class _Direct(msgspec.Struct):
    type: str
    content: dict[str, Any] = {}


class _Membership(msgspec.Struct):
    type: str
    sender: str
    state_key: str
    content: dict[str, Any] = {}


class Rooms:
    """See the module. What it asks the server for it asks once."""

    def __init__(self, account: Account, wire: Wire) -> None:
        self._account, self._wire = account, wire
        self._direct: dict[str, Any] | None = None
        self._public: dict[str, bool] = {}
        self._titles: dict[str, str] = {}
        self._names: dict[str, dict[str, str]] = {}

    def is_heard(self, room: str) -> bool:
        """Chosen by an admin, or a private conversation where an admin wants these, or all where nothing is chosen."""
        if not chosen_rooms(self._account) or room in chosen_rooms(self._account):
            return True
        return bool(self._account.settings.get("direct")) and self.is_direct(room)

    def is_direct(self, room: str) -> bool:
        """A private conversation, by the list that the account keeps of them."""
        return any(isinstance(rooms, list) and room in rooms for rooms in self._directs().values())

    def facts(self, room: str, senders: Collection[str]) -> Room:
        """What the posts of a room say of it, with the display names of these people."""
        known = self._names.setdefault(room, {})
        for user in [user for user in senders if user not in known][:_MOST_NAMES]:
            content = self._state(room, f"m.room.member/{segment(user)}")
            name = content.get("displayname")
            known[user] = name if isinstance(name, str) else ""
        if room not in self._public:
            self._public[room] = self._state(room, "m.room.join_rules/").get("join_rule") == "public"
        return Room(room, self.is_direct(room), self._public[room], known)

    def name(self, room: str) -> str:
        """How people call a room, for a sentence: "the room Support (!id)"."""
        if room not in self._titles:
            self._titles[room] = room_name(self._state(room, "m.room.name/"))
        title = self._titles[room]
        return f"the room {title} ({room})" if title else f"the room {room}"

    def learn_names(self, room: str, events: list[Any]) -> None:
        """The members that the server sent along."""
        known = self._names.setdefault(room, {})
        known.update(pair for pair in map(display_name, events) if pair)

    def learn_direct(self, events: list[Any]) -> None:
        """The list of private conversations, where the server sent it along."""
        for item in events:
            try:
                found = take(item, _Direct)
            except InvalidPost:
                continue
            if found.type == "m.direct":
                self._direct = found.content

    def accept(self, room: str, state: list[Any]) -> list[str]:
        """Join the room if an admin chose it; what went wrong, one line each. Other invitations are left alone."""
        inviter, is_direct = self._invitation(state)
        wanted = room in chosen_rooms(self._account)
        private = is_direct and bool(self._account.settings.get("direct"))
        if not (wanted or private):
            return []
        try:
            self._wire.write("POST", f"/join/{segment(room)}", {}, dict[str, Any])
            if is_direct:
                self._remember_direct(inviter, room)
        except GiveUp as error:
            return [f"the invitation to {room} could not be accepted: {error}"]
        return []

    def _invitation(self, state: list[Any]) -> tuple[str, bool]:
        """Who invites, and whether to a private conversation."""
        for item in state:
            try:
                found = take(item, _Membership)
            except InvalidPost:
                continue
            if found.type == "m.room.member" and found.state_key == self._account.account_id:
                return found.sender, found.content.get("is_direct") is True
        return "", False

    def _remember_direct(self, user: str, room: str) -> None:
        """As every program does that accepts one: the list is the account's, and other programs show it."""
        listed = dict(self._directs())
        rooms = listed.get(user)
        listed[user] = [*(rooms if isinstance(rooms, list) else []), room]
        path = f"/user/{segment(self._account.account_id)}/account_data/m.direct"
        self._wire.write("PUT", path, listed, dict[str, Any])
        self._direct = listed

    def _directs(self) -> dict[str, Any]:
        if self._direct is None:
            path = f"/user/{segment(self._account.account_id)}/account_data/m.direct"
            try:
                self._direct = self._wire.read(path, dict[str, Any])
            except GiveUp:  # it keeps none
                self._direct = {}
        return self._direct

    def _state(self, room: str, key: str) -> dict[str, Any]:
        """One piece of the state of a room, {} where there is none or it is not ours to see."""
        try:
            return self._wire.read(f"/rooms/{segment(room)}/state/{key}", dict[str, Any])
        except GiveUp:
            return {}


def chosen_rooms(account: Account) -> list[str]:
    """The ids of the rooms that an admin chose; none: all that the account is in."""
    found = account.settings.get("room_ids")
    return found if isinstance(found, list) else []
