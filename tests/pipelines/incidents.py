"""Shops in which things go wrong, and the faults that are found in them.

Moments are written `2 10:00`, the day of March 2026 and the time. What happens to a shop has short names;
ids are its own and these.
"""

from __future__ import annotations

from typing import Any

from connectors.records import Incident
from tests.pipelines.acme import Acme, utc

Faults = dict[str, tuple[str, list[str]]]
"""Deployment → rule and evidence, by their short names; of a change `#12` or its commit."""


def at(text: str) -> str:
    day, time = text.split()
    return f"2026-03-{int(day):02} {time}"


def sha(name: str) -> str:
    return name.ljust(40, "0")


class Shop:
    """A repository, and unless services are configured the service of its name."""

    def __init__(self, acme: Acme, name: str) -> None:
        self.acme, self.name = acme, name

    def id(self, short: str) -> str:
        return f"{self.name}/{short}"

    def commit(
        self,
        name: str,
        authored: str,
        *parents: str,
        kind: str = "change",
        reverts: str | None = None,
        folder: str | None = None,
    ) -> None:
        """On top of `parents`, else of the last one."""
        self.acme.commit(
            self.name,
            sha(name),
            at(authored),
            *map(sha, parents),
            kind=kind,
            reverts=reverts and (reverts if len(reverts) >= 7 else sha(reverts)),
            folders=folder and (folder,),
        )

    def line(self, *names: str) -> None:
        self.acme.commits(self.name, at("1 00:00"), *map(sha, names))

    def deploy(self, name: str, commit: str, started: str, finished: str, **fields: str) -> None:
        self.acme.deploy(
            self.name, sha(commit), at(finished), started=at(started), name=self.id(name), **fields
        )

    def deployed(self, *commits: str) -> None:
        """`d1`, `d2`, … at 10:00 of the 1st, the 2nd, …, each in ten minutes."""
        for day, commit in enumerate(commits, start=1):
            self.deploy(f"d{day}", commit, f"{day} 10:00", f"{day} 10:10")

    def pull_request(self, number: int, commit: str, first: str, merged: str, **fields: Any) -> None:
        self.acme.pull_request(
            self.name, number, sha(commit), first=at(first), opened=at(first), merged=at(merged), **fields
        )

    def incident(self, name: str, opened: str, resolved: str | None, **fields: Any) -> None:
        """Of the service of this name, unless `fields` say otherwise."""
        service = fields.pop("service", self.name)
        url = f"https://x.invalid/{name}"
        self.acme.incident(
            service, at(opened), resolved and at(resolved), name=self.id(name), url=url, **fields
        )

    def issue(self, name: str, opened: str, resolved: str) -> None:
        """An incident reported in the repository."""
        self.acme.add(
            "github",
            self.name,
            Incident(
                id=self.id(name),
                service=None,
                repository=self.name,
                severity=None,
                status="resolved",
                opened_at=utc(at(opened)),
                acknowledged_at=None,
                resolved_at=utc(at(resolved)),
                deployment=None,
                sha=None,
                change_number=None,
                url=None,
            ),
        )


def faults(acme: Acme, unit: str) -> Faults:
    """Of `service:NAME`, or `repository:SOURCE:NAME` for what is of no service."""
    rows = acme.query(
        "select deployment_id, f.rule, list(evidence_id) as evidence"
        " from core.fault as f inner join core.fault_evidence as e using (fault_id, deployment_id)"
        " where f.unit = ? group by all order by all",
        unit,
    )
    return {
        short(row["deployment_id"]): (row["rule"], sorted(short(each) for each in row["evidence"]))
        for row in rows
    }


def hours(acme: Acme, service: str) -> dict[str, float | None]:
    """Deployment that failed → hours until it was over; None while it is open."""
    rows = acme.query(
        "select deployment_id, (epoch(recovered_at) - epoch(began_at)) / 3600 as hours"
        " from core.fault where service = ?",
        service,
    )
    return {short(row["deployment_id"]): row["hours"] for row in rows}


def rework(acme: Acme, service: str) -> set[str]:
    """Deployments that brought a mend."""
    rows = acme.query(
        "select by_deployment_id as deployment_id from core.mend where unit = $1"
        " union select fix_deployment_id from core.incident_cause where fix_unit = $1",
        f"service:{service}",
    )
    return {short(row["deployment_id"]) for row in rows}


def unattributed(acme: Acme, service: str) -> set[str]:
    rows = acme.query("select incident_id from marts.incident where rule is null and service = ?", service)
    return {short(row["incident_id"]) for row in rows}


def short(identity: str) -> str:
    last = identity.rpartition("/")[2]
    if "#" in last:
        return "#" + last.rpartition("#")[2]
    return last.rpartition("@")[2].rstrip("0") if "@" in last else last
