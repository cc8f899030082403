"""What is told of delivery: fields for programs, sentences for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from firmware.ports import QueueState
from firmware.services.delivery_desk import EMPTY, DeliveryDesk, age_seconds
from firmware.settings import Settings

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def delivery_status(
    settings: Settings, now: datetime, states: Mapping[str, QueueState], desk: DeliveryDesk | None = None
) -> dict[str, Any]:
    """The JSON fields of `sync status`. The main route comes first; without a desk, the service is not running."""
    mode = settings.sync.mode
    main = states.get(mode, EMPTY)
    zone = ZoneInfo(settings.time_zone)
    routes = [_route(name, state, now, zone, desk) for name, state in states.items()]
    return {
        "mode": mode,
        "queued": main.queued,
        "oldest_seconds": age_seconds(main.oldest_queued_at, now),
        "last_success_at": _local(main.last_success_at, zone),
        "last_error": main.last_error,
        "every_seconds": desk.every_seconds if desk else None,
        "running": desk is not None,
        "quarantined": sum(state.quarantined for state in states.values()),
        "audio_queued": main.audio_queued,
        "progress": next((route["progress"] for route in routes if route["name"] == mode), None),
        "certificate_ends_at": _certificate_ends(desk, zone),
        "routes": routes,
    }


def _route(name: str, state: QueueState, now: datetime, zone: ZoneInfo, desk: DeliveryDesk | None) -> dict[str, Any]:
    sender = next((sender for sender in desk.senders if sender.route == name), None) if desk else None
    failure = sender.failure if sender else None
    delivery = next((delivery for delivery in desk.deliveries if delivery.route.name == name), None) if desk else None
    return {
        "name": name,
        "queued": state.queued,
        "quarantined": state.quarantined,
        "audio_queued": state.audio_queued,
        "oldest_seconds": age_seconds(state.oldest_queued_at, now),
        "last_success_at": _local(state.last_success_at, zone),
        "last_error": str(failure) if failure else state.last_error,
        "trouble": delivery.trouble() if delivery else None,
        "doing": sender.doing() if sender else None,
        "progress": sender.progress(state.queued, state.audio_queued) if sender else None,
    }


def _local(moment: str | None, zone: ZoneInfo) -> str | None:
    return None if moment is None else datetime.fromisoformat(moment).astimezone(zone).isoformat(timespec="seconds")


def _certificate_ends(desk: DeliveryDesk | None, zone: ZoneInfo) -> str | None:
    ends = [delivery.certificate_ends() for delivery in desk.deliveries] if desk else []
    return next((end.astimezone(zone).isoformat(timespec="seconds") for end in ends if end), None)


def status_lines(status: Mapping[str, Any]) -> Sequence[str]:
    """For people."""
    if not status["routes"] and status["mode"] == "off":
        return ["delivery is off (mode: off); records stay on this appliance"]
    lines = [f"mode: {status['mode']}" + (" (records stay on this appliance)" if status["mode"] == "off" else "")]
    if not status["running"]:
        lines.append("the sync service is not running, so nothing leaves; start it with: linekeeper run sync")
    for route in status["routes"]:
        lines += _route_lines(route)
    if status["every_seconds"]:
        lines.append(f"to save power, it delivers every {span_words(status['every_seconds'])} and holds audio back")
    if status["certificate_ends_at"]:
        lines.append(f"the certificate is good until {status['certificate_ends_at']} and is renewed by itself")
    return lines


def _route_lines(route: Mapping[str, Any]) -> list[str]:
    last = f"last delivered {route['last_success_at']}" if route["last_success_at"] else "nothing was delivered yet"
    told = [f"{waiting_words(route)}; {last}"]
    if progress := route["progress"]:
        told.append(_progress_words(progress))
    if route["doing"] and (route["queued"] or route["last_error"]):
        told.append(route["doing"])
    if route["last_error"]:
        told.append(route["last_error"])
    if route["trouble"]:
        told.append(f"something that the collector wants cannot be done yet: {route['trouble']}")
    if route["quarantined"]:
        told.append(
            f"{records_words(route['quarantined'])} refused and set aside; look with: linekeeper sync quarantine, "
            "and when the reason is mended: linekeeper sync retry --all"
        )
    return [f"{route['name']}: {words}" for words in told]


def waiting_words(queue: Mapping[str, Any]) -> str:
    """What waits, and how long; from a route or a whole status."""
    if not queue["queued"]:
        return "nothing waits"
    words = f"{records_words(queue['queued'])} waiting"
    if queue["oldest_seconds"] is not None:
        words += f", the oldest for {span_words(queue['oldest_seconds'])}"
    return words + (f", {queue['audio_queued']} with audio" if queue.get("audio_queued") else "")


def records_words(count: int) -> str:
    """So many records."""
    return "1 record" if count == 1 else f"{count} records"


def _progress_words(progress: Mapping[str, Any]) -> str:
    words = f"{progress['records_done']} records done, {progress['records_left']} left"
    if progress["seconds_left"] is not None:
        words += f", about {span_words(progress['seconds_left'])} more"
    return words


def span_words(seconds: float) -> str:
    """A span as people say it."""
    for unit, name in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def delivery_sentence(desk: DeliveryDesk) -> str:
    """How delivery is, in one sentence, without asking the database."""
    if not desk.senders:
        return "sync is off; records stay on this appliance"
    troubles = [f"{sender.route}: {sender.failure}" for sender in desk.senders if sender.failure]
    if troubles:
        return f"records wait here, {'; '.join(troubles)}"
    return f"records go to {', '.join(delivery.place for delivery in desk.deliveries)}"
