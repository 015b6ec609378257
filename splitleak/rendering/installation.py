"""What can be used here, as text."""

from __future__ import annotations

from splitleak.rendering.tables import Summary

_TITLES = {
    "libraries": "Libraries",
    "extras": "Extras",
    "programs": "Programs and devices",
    "backends": "Similarity backends",
    "probes": "Probes",
}


def installation_text(summary: Summary) -> str:
    """Return what is there and what is not, and what to type for the rest."""
    lines = [
        f"splitleak {summary['splitleak']}, Python {summary['python']}, {summary['system']},"
        f" {summary['threads']} threads"
    ]
    for key, title in _TITLES.items():
        parts = summary[key]
        usable = sum(part["usable"] for part in parts)
        lines += ["", f"{title} ({usable} of {len(parts)} usable):"]
        width = max((len(part["name"]) for part in parts), default=0)
        for part in parts:
            told = "  ".join(text for text in (part["version"], part["about"]) if text)
            mark = "yes" if part["usable"] else "NO "
            install = f"  ->  {part['install']}" if part["install"] and not part["usable"] else ""
            lines.append(f"  {mark}  {part['name']:<{width}}  {told}{install}".rstrip())
    return "\n".join(lines)
