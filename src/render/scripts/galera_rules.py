"""What a member of a Galera cluster decides from what all members tell: values in, values out. No I/O, no clock.

The invariant: at most one member bootstraps. Whoever does has the promise of every other member, each of them was
waiting with its server stopped when it promised, and it confirmed the position that the choice was made from. So the
choice is made of data that cannot change, by a function that gives the same member everywhere.
"""
from __future__ import annotations

from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

State = Dict[str, Any]  # what a member tells under /state
ZERO_UUID = "00000000-0000-0000-0000-000000000000"
SERVING = ("synced", "donor")


class Verdict(NamedTuple):
    """`action`: join, bootstrap, initialize or wait; `because` is one sentence; `ambiguous`: members will not go on by themselves."""
    action: str
    because: str
    ambiguous: bool = False


Table = Dict[str, List[Any]]  # member -> [bootId, uuid, seqno], and the era: what a promise is about


def known(state: State) -> bool:
    """Whether its position is one: -1 and the zero uuid never are."""
    position = state["position"]
    return bool(position["uuid"]) and position["uuid"] != ZERO_UUID and position["seqno"] is not None and position["seqno"] >= 0


def serves(state: Optional[State]) -> bool:
    """Its phase alone may be a moment old: a server that has just died has no status any more."""
    return bool(state and state["phase"] in SERVING and (state.get("wsrep") or {}).get("clusterStatus") == "Primary")


def has_data(state: State) -> bool:
    return not state["dataEmpty"] and not state["sstIncomplete"]


def bootstrap_number(state: State) -> int:
    return (state.get("lastBootstrap") or {}).get("n", 0)


def bootstrap_id(state: State) -> Optional[str]:
    return (state.get("lastBootstrap") or {}).get("id")


def table_of(states: Dict[str, State]) -> Table:
    """With the era once there is more than one: members with scripts from before there were eras tell none."""
    return {name: [state["bootId"], state["position"]["uuid"], state["position"]["seqno"], *([era_number(state)] if era_number(state) else [])]
            for name, state in states.items()}


# ---- eras: each restore in place, and each way back, begins a new one

Replacement = Dict[str, Any]  # as declared: `name`, and `putBack` for the way back

FIRST_ERA: Dict[str, Any] = {"number": 0, "by": "", "done": []}


def era_of(state: State) -> Dict[str, Any]:
    """`number` only grows; `by` is what began it; `done` has all that was ever done, each once."""
    return state.get("era") or FIRST_ERA


def era_number(state: State) -> int:
    return era_of(state)["number"]


def era_key(state: State) -> Tuple[int, str]:
    return era_of(state)["number"], era_of(state)["by"]


def step_of(wanted: Replacement) -> str:
    """A name has no spaces, so the way back never has the name of a restore."""
    return f"{wanted['name']} put back" if wanted["putBack"] else wanted["name"]


def wanted_of(era: Dict[str, Any]) -> Replacement:
    """What was declared when that era began."""
    name, _, back = era["by"].partition(" ")
    return {"name": name, "putBack": bool(back)}


def is_due(own: State, peers: Dict[str, Optional[State]], wanted: Optional[Replacement]) -> bool:
    """Whether what is declared keeps this member from going on: it is done once for its name, by all members."""
    if not wanted or step_of(wanted) in era_of(own)["done"]:
        return False
    heard = [state for state in peers.values() if state]
    if not has_data(own) and any(serves(state) for state in heard):
        return False
    eras = [era_of(state) for state in [own, *heard]]
    if wanted["putBack"]:
        # Only the last restore can be taken back: behind it there are data of its own.
        later = [era for era in eras if wanted["name"] in era["done"] and era["by"] not in (wanted["name"], step_of(wanted))]
        return not later and any(wanted["name"] in era["done"] for era in eras)
    return not any(wanted["name"] in era["done"] and era["by"] != wanted["name"] for era in eras)


def holds_for(state: State, wanted: Replacement) -> bool:
    """It runs no server, and starts none before it has been through this."""
    holds = state.get("holds") or {}
    asked = (holds.get("name"), holds.get("putBack")) == (wanted["name"], wanted["putBack"])
    return asked and state["phase"] == "holding" and not (state.get("server") or {}).get("pid")


def is_through(state: State, wanted: Replacement) -> bool:
    return era_of(state)["by"] == step_of(wanted)


def hold_verdict(own: State, peers: Dict[str, Optional[State]], members: List[str], wanted: Replacement) -> Verdict:
    """Of a member for which something is due: `move` when all hold for it, or have been through it, and else `hold`."""
    what = f"{'the way back behind' if wanted['putBack'] else 'the restore in place'} {wanted['name']} is declared"
    absent = [name for name in members if name != own["member"] and not peers.get(name)]
    if absent:
        return Verdict("hold", f"{what}; waiting to hear {', '.join(absent)}", True)
    states = {name: own if name == own["member"] else peers[name] for name in members}
    missing = [name for name in members if not holds_for(states[name], wanted) and not is_through(states[name], wanted)]
    if missing:
        return Verdict("hold", f"{what}; waiting for {', '.join(missing)} to stop: delete all Pods of the cluster at once", True)
    held = [state for state in states.values() if not is_through(state, wanted)]
    for state in held:
        if state["holds"].get("problem"):
            return Verdict("hold", f"{what}, and nothing is moved: {state['holds']['problem']}", True)
    if wanted["putBack"] and returning(states.values(), wanted) is None:
        return Verdict("hold", f"{what}, and no member has data from before it: take it out of the manifests", True)
    return Verdict("move", f"all members hold for {wanted['name']}")


def returning(states: Iterable[State], wanted: Replacement) -> Optional[int]:
    """The latest era of which data come back: those of a member that had missed something before do not count beside them."""
    found = [era_of(state).get("returned") if is_through(state, wanted) else state["holds"].get("returns") for state in states]
    return max((era for era in found if era is not None), default=None)


def next_era(states: List[State], wanted: Replacement) -> Dict[str, Any]:
    """The same for every member: states of members that hold do not change, and of those that have moved it is taken over."""
    through = [era_of(state) for state in states if is_through(state, wanted)]
    if through:
        return max(through, key=lambda era: era["number"])
    done = {name for state in states for name in era_of(state)["done"]} | {wanted["name"], step_of(wanted)}
    returned = {"returned": returning(states, wanted)} if wanted["putBack"] else {}
    return {"number": 1 + max(era_number(state) for state in states), "by": step_of(wanted), "done": sorted(done), **returned}


def era_objection(states: Dict[str, State], members: List[str], initialized: Optional[int]) -> Optional[str]:
    """No server runs: why nobody may begin. Data from before a restore in place never count beside those from after it."""
    top = max(era_key(states[name]) for name in members)
    if initialized is not None and initialized > top[0]:
        return f"the cluster had data after {initialized} restores in place and ways back, and no volume has been through more than {top[0]}"
    apart = [name for name in members if era_number(states[name]) == top[0] and era_key(states[name]) != top]
    if apart:
        return f"{', '.join(apart)} have not been through {top[1]} but through something else"
    behind = [name for name in members if has_data(states[name]) and era_key(states[name]) != top]
    return f"the data of {', '.join(behind)} are from before {top[1]}; declare it until all members have been through it" if behind else None


def foreign_history(own: State, primary: State) -> Optional[str]:
    """Why these data must not join that Primary Component as they are; None: they are a part of its history."""
    if not has_data(own):
        return None
    if not known(own):
        return "the position of its data is not known"
    theirs = (primary.get("wsrep") or {}).get("clusterStateUuid")
    if own["position"]["uuid"] != theirs:
        return f"its data are of history {own['position']['uuid']}, and {primary['member']} serves {theirs}"
    parted = parted_at(own, primary.get("bootstraps") or [])
    if parted is not None and own["position"]["seqno"] > parted:
        return f"its data end at {own['position']['seqno']}, and the cluster was bootstrapped without it at {parted}"
    return None


def parted_at(own: State, bootstraps: List[Dict[str, Any]]) -> Optional[int]:
    """The lowest position at which the cluster went on without this member since it was last in step with it."""
    mine, number = bootstrap_id(own), bootstrap_number(own)
    later = [item["seqno"] for item in bootstraps if item["n"] > number or (item["n"] == number and item["id"] != mine)]
    return min(later, default=None)


def join_verdict(own: State, primaries: List[State]) -> Verdict:
    histories = {(state.get("wsrep") or {}).get("clusterStateUuid") for state in primaries}
    names = ", ".join(state["member"] for state in primaries)
    eras = {era_key(state) for state in primaries}
    if max(eras)[0] < era_number(own):
        return Verdict("wait", f"its volume has been through {era_of(own)['by']}, and {names} serves data from before that", True)
    if len(eras) > 1 or (has_data(own) and era_key(own) not in eras):
        return Verdict("wait", f"its data are from before {max(eras)[1]}, which {names} serves; it joins when they are set aside", True)
    if len(histories) > 1:
        return Verdict("wait", f"{names} serve different histories; not joining either", True)
    # The newest record: a member that has just been promoted may not have read it yet.
    primary = max(primaries, key=bootstrap_number)
    foreign = foreign_history(own, primary)
    if foreign:
        return Verdict("wait", f"{foreign}; it joins when its data are set aside", True)
    return Verdict("join", f"{names} serves")


def empty_verdict(own: State, states: Dict[str, State], members: List[str], initialized: Optional[int]) -> Verdict:
    unfinished = [name for name in members if states[name]["sstIncomplete"]]
    if unfinished:
        return Verdict("wait", f"no member has data, and {', '.join(unfinished)} only an unfinished copy", True)
    if len({era_key(states[name]) for name in members}) > 1:
        return Verdict("wait", "no member has data, and not all have been through the same restores in place", True)
    if initialized is not None and initialized >= era_number(own):
        return Verdict("wait", "all volumes are empty, although this cluster had data before", True)
    if members[0] != own["member"]:
        return Verdict("wait", f"{members[0]} makes the new cluster")
    return Verdict("initialize", "all volumes are empty and this is the first member")


def newest(states: Dict[str, State], members: List[str]) -> Tuple[Optional[str], str]:
    """The member with the highest position, and why; or nobody, and why not."""
    holders = [name for name in members if has_data(states[name])]
    unknown = [name for name in holders if not known(states[name])]
    if unknown:
        return None, f"the position of {', '.join(unknown)} is not known"
    if len({states[name]["position"]["uuid"] for name in holders}) > 1:
        return None, f"{', '.join(holders)} have data of different histories"
    latest = max(bootstrap_number(states[name]) for name in holders)
    candidates = [name for name in holders if bootstrap_number(states[name]) == latest]
    if len({bootstrap_id(states[name]) for name in candidates}) > 1:
        return None, f"{', '.join(candidates)} were bootstrapped apart from each other"
    # Of equals the first in the order of members, so that all of them find the same.
    best = max(candidates, key=lambda name: (states[name]["position"]["seqno"], -members.index(name)))
    ahead = [name for name in holders if states[name]["position"]["seqno"] > states[best]["position"]["seqno"]]
    if ahead:
        # The others of a promotion learn its number by a row, a moment after they can commit again.
        return None, f"{', '.join(ahead)} is ahead of {best}, which was bootstrapped later; whether they were together after that is not known"
    seen = ((states[best].get("lastPrimaryView") or {}).get("members")) or []
    lost = [name for name in members if name in seen and states[name]["dataEmpty"] and not states[name]["sstIncomplete"]]
    if lost:
        return None, f"the data of {', '.join(lost)} are gone, and it was in the last Primary Component"
    return best, f"{best} has the highest position, {states[best]['position']['seqno']}"


def recovery_verdict(own: State, states: Dict[str, State], members: List[str], initialized: Optional[int]) -> Verdict:
    """Every member has told that it waits."""
    objection = era_objection(states, members, initialized)
    if objection:
        return Verdict("wait", objection, True)
    if not any(has_data(states[name]) for name in members):
        return empty_verdict(own, states, members, initialized)
    best, because = newest(states, members)
    if best is None:
        return Verdict("wait", because, True)
    return Verdict("bootstrap" if best == own["member"] else "wait", because)


def verdict(own: State, peers: Dict[str, Optional[State]], members: List[str], initialized: Optional[int]) -> Verdict:
    """What a waiting member does. `peers` has what each other member told a moment ago, or None; `initialized`: the last
    era in which the cluster had data, None before there were any."""
    primaries = [state for state in peers.values() if serves(state)]
    if primaries:
        return join_verdict(own, primaries)
    absent = [name for name in members if name != own["member"] and not peers.get(name)]
    if absent:
        return Verdict("wait", f"no member serves; waiting to hear the position of {', '.join(absent)}", True)
    busy = [f"{name} ({state['phase']})" for name, state in peers.items() if state and state["phase"] != "waiting"]
    if busy:
        return Verdict("wait", f"no member serves; waiting for {', '.join(busy)}")
    states = {name: own if name == own["member"] else peers[name] for name in members}
    return recovery_verdict(own, states, members, initialized)


def promise_refusal(own: State, to: str, table: Table, promised: Optional[str]) -> Optional[str]:
    """Why this member does not promise to stand back for another one's bootstrap."""
    if own["phase"] != "waiting":
        return f"{own['member']} is {own['phase']}"
    if promised and promised != to:
        return f"{own['member']} has promised {promised}"
    if own.get("claiming") or own.get("granted"):
        return f"{own['member']} bootstraps itself"
    mine = table_of({own["member"]: own})[own["member"]]
    if table.get(own["member"]) != mine:
        return f"{own['member']} is at {mine}, not at {table.get(own['member'])}"
    return None


def promise_over(to: State, boot_id: str) -> bool:
    """Whether the one that was promised to bootstrap does not any more: it is another process, or waits again."""
    return to["bootId"] != boot_id or (to["phase"] in ("recovering", "holding", "waiting") and not to["claiming"])


def given_up(me: str, peers: Dict[str, Optional[State]]) -> bool:
    """Some serve, and none of them counts on this member."""
    serving = [state for state in peers.values() if serves(state)]
    return bool(serving) and not any(item["name"] == me for state in serving for item in state["wsrep"]["members"])


def all_stand_still(own: State, peers: Dict[str, Optional[State]]) -> bool:
    """Nobody is in a Primary Component, and everybody has said so: a group that does not come back by itself."""
    return all(state is not None and state["phase"] in ("waiting", "nonprimary") for state in peers.values())


# ---- the writer

class Row(NamedTuple):
    member: str
    gcomm: str
    epoch: int


def claim_rank(row: Optional[Row], view: Dict[str, str], me: str, members: List[str], unwilling: bool) -> Optional[int]:
    """None: the writer is in the view. Else how many members may claim before this one; `view` is member -> gcomm uuid."""
    if row is not None and view.get(row.member) == row.gcomm:
        return None
    others = [name for name in members if name in view]
    rank = others.index(me) if me in others else len(members)
    return rank + (len(members) if unwilling and len(others) > 1 else 0)


def next_writer(me: str, peers: Dict[str, Optional[State]], view: Dict[str, str], members: List[str]) -> Optional[str]:
    """Who takes over from this member: the first Synced one that is not drained."""
    for name in members:
        state = peers.get(name)
        if name != me and name in view and state and state["phase"] == "synced" and not state.get("drained"):
            return name
    return None


def donors(peers: Dict[str, Optional[State]], members: List[str]) -> List[str]:
    """Who should give its data to this member: those in step that do not take the writes."""
    found = []
    for name in members:
        state = peers.get(name)
        writer = ((state or {}).get("writer") or {}).get("member")
        if state and state["phase"] == "synced" and writer != name:
            found.append(name)
    return found
