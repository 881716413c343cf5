"""Who may import whom. The sentences of `docs/architecture.md` about borders, kept true by reading the imports."""

import ast
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = ("sessions_app", "energy", "summarization")
PROGRAMS = ("config", "emulator", *APPS)

PURE = {
    "sessions_app.throttle",
    *(f"sessions_app.live.machine.{path.stem}" for path in (ROOT / "sessions_app/live/machine").glob("*.py")),
    *(
        f"sessions_app.live.{name}"
        for name in (
            "transcript",
            "spoken_lines",
            "storable",
            "turn_window",
            "backlog",
            "context",
            "voice",
            "pitch",
            "wav",
            "own_ear",
            "played",
            "echo",
            "memory",
            "tokens",
            "close_codes",
            "questions",
            "notes_told",
        )
    ),
    *(
        f"sessions_app.live.providers.{name}"
        for name in ("durations", "google_errors", "minting", "token_stock", "spoken_words", "sound_parts", "consumed")
    ),
    *(
        f"sessions_app.live.providers.turns.{name}"
        for name in ("hearing", "account", "prompt", "sentences", "voice_models")
    ),
    *(f"sessions_app.live.providers.questions.{name}" for name in ("asking", "tries")),
    "sessions_app.live.sound_clock",
    *(f"sessions_app.auth_tokens.{name}" for name in ("terms", "status")),
    "sessions_app.numbers",
    "sessions_app.user_settings.terms",
    "sessions_app.voice_samples.byte_ranges",
    *(
        f"sessions_app.recordings.{name}"
        for name in ("google_rules", "google_shown", "cuts", "keeping", "passages", "refusals")
    ),
    *(f"energy.{name}" for name in ("levels", "places", "days", "quota", "queue", "fair_use", "usage", "prices")),
    "energy.marking",
    *(f"summarization.{name}" for name in ("prompts", "recording_prompts", "timeline", "record", "export", "titles")),
    *(f"summarization.{name}" for name in ("folding", "search_words", "passages", "lengths")),
    "config.line_page.plot",
    *(f"sessions_app.live.providers.{name}" for name in ("cache_rules", "cache_reckoning")),
}
WORDS = ("django.utils.translation", "django.utils.formats", "django.utils.functional")
"""Pure modules that have something to say mark it, and say it in the language of who reads it."""

NOT_PURE = {"asyncio", "time", "random", "secrets", "socket", "threading", "logging", "os", "subprocess"}
"""Of the standard library: no await, no clock, no randomness, no I/O of its own."""

SDK_MODULES = {
    *(
        f"sessions_app.live.providers.{name}"
        for name in ("gemini", "access", "accounts", "frames", "catalogue", "auth_tokens")
    ),
    "sessions_app.live.providers.turns.gemini_generation",
    "summarization.gemini",
    "sessions_app.live.providers.context_cache",
}
HTTP_MODULES = SDK_MODULES | {"sessions_app.live.providers.files"}
"""Which ask the provider, by its SDK or without it."""

EDGES = {"consumers", "views", "urls", "routing", "admin", "tasks", "commands", "gateway", "forms"}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): path for program in (*PROGRAMS, "tools") for path in sorted((ROOT / program).rglob("*.py"))}


@cache
def imports(module: str) -> tuple[str, ...]:
    """Every module that a module imports, anywhere in its text; `from a import b` counts as `a` and as `a.b`."""
    return tuple(_read_imports(module))


def tree(module: str) -> ast.AST:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def _read_imports(module: str) -> Iterator[str]:
    package = module if MODULES[module].stem == "__init__" else module.rpartition(".")[0]
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base]).strip(".")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_below(name: str, *tops: str) -> bool:
    return any(name == top or name.startswith(f"{top}.") for top in tops)


def offences(modules: set[str], *forbidden: str) -> list[str]:
    """`module imports name` for each forbidden import of these modules."""
    return [
        f"{module} imports {name}"
        for module in sorted(modules & MODULES.keys())
        for name in imports(module)
        if is_below(name, *forbidden)
    ]


def below(*tops: str) -> set[str]:
    return {module for module in MODULES if is_below(module, *tops)}


def is_edge(module: str) -> bool:
    return module.split(".")[0] in APPS and any(part in EDGES for part in module.split(".")[1:])


def test_the_core_knows_neither_django_nor_channels() -> None:
    assert not offences(below("sessions_app.live"), "django", "channels", "asgiref", "celery")


def test_the_core_uses_nothing_of_ours_but_itself_the_pure_rules_of_ladder_and_quota_and_marks_for_words() -> None:
    rules = ("energy.levels", "energy.places", "energy.quota", "energy.marking")
    uses = {name for module in below("sessions_app.live") for name in imports(module) if is_below(name, *PROGRAMS)}
    assert not {name for name in uses if not is_below(name, "sessions_app.live", "energy", *rules)}
    assert not {name for name in uses if is_below(name, "energy") and not is_below(name, *rules)} - {"energy"}


@pytest.mark.parametrize("module", sorted(PURE & MODULES.keys()))
def test_pure_modules_use_pure_modules_and_the_standard_library_alone(module: str) -> None:
    packages = {".".join(name.split(".")[:count]) for name in PURE for count in range(1, name.count(".") + 1)}
    strangers = {
        name
        for name in imports(module)
        if not is_below(name, *PURE, *WORDS)
        and name not in packages
        and name.split(".")[0] not in sys.stdlib_module_names
    }
    assert not strangers
    assert not offences({module}, *NOT_PURE)


def test_only_one_module_of_each_app_and_its_fast_path_know_the_sdk() -> None:
    assert not offences(set(MODULES) - SDK_MODULES, "google.genai", "google.auth")
    assert not offences(set(MODULES) - HTTP_MODULES, "httpx2")


def test_two_programs_alone_load_the_decoder() -> None:
    """It is large, and what is in its wheel has licences of its own: `docs/third-party.md`."""
    programs = {"sessions_app.recordings.probe", "sessions_app.recordings.cutter"}
    assert not offences(set(MODULES) - programs - below("emulator"), "av")
    assert not offences(set(MODULES), *programs)


def test_only_one_module_knows_opentelemetry_which_is_not_installed_everywhere() -> None:
    assert not offences(set(MODULES) - {"config.tracing"}, "opentelemetry")


def test_the_sdk_of_mcp_is_known_where_it_is_loaded_late_for_it_is_not_installed_everywhere() -> None:
    """What a web process loads without MCP=1 is the door alone."""
    knowing = {"config.mcp.server", "config.mcp.hosting", "config.mcp.stdio"}
    assert not offences(set(MODULES) - knowing, "mcp", "starlette")
    assert not offences(set(MODULES) - knowing - {"config.mcp.shapes"}, "pydantic")
    late = {*knowing, "config.mcp.shapes", "config.mcp.tools", "config.mcp.history_tools"} - {"config.mcp.hosting"}
    assert not offences({"config.asgi", "config.mcp.door", "config.mcp.calls"}, *late)


def test_the_emulator_shares_nothing_with_what_it_stands_in_for() -> None:
    assert not offences(below("emulator"), *APPS, "config", "tests", "google.genai", "django")


def test_nobody_imports_the_emulator() -> None:
    assert not offences(set(MODULES) - below("emulator"), "emulator")


def test_apps_use_what_lies_below_them() -> None:
    """energy <- sessions_app <- summarization <- config, which puts them together."""
    assert not offences(below("energy"), "sessions_app", "summarization", "config")
    assert not offences(below("sessions_app"), "summarization", "config")
    assert not offences(below("summarization"), "config")


def test_what_decides_and_what_dials_uses_nothing_above_it() -> None:
    lower = below("sessions_app.live.machine", "sessions_app.live.providers")
    pure = tuple(PURE)
    assert not offences(below("sessions_app.live"), "sessions_app.gateway")
    assert not offences(below("sessions_app.live.machine"), "sessions_app.live.providers")
    assert [
        f"{module} imports {name}"
        for module in sorted(lower)
        for name in imports(module)
        if name in MODULES and MODULES[name].stem != "__init__" and not is_below(name, *lower, *pure)
    ] == []


KIND_OF_RUNG = {"Kind", "is_in_turns", "refuges_below", "live_models"}
WHO_KNOWS_THE_KIND = {"sessions_app.live.level_keeper", "sessions_app.live.line_probe"}


def test_whether_a_model_is_talked_with_live_or_in_turns_is_known_to_the_levels_and_the_upstream_alone() -> None:
    """No `if` of the session machine, the manager or an exchange asks for it."""
    elsewhere = below("sessions_app.live") - below("sessions_app.live.providers") - WHO_KNOWS_THE_KIND
    named = {
        module: KIND_OF_RUNG & {getattr(node, "id", getattr(node, "attr", "")) for node in ast.walk(tree(module))}
        for module in elsewhere
    }
    assert not {module: names for module, names in named.items() if names}


def files_in_circles() -> list[str]:
    """Every module from which its imports lead back to itself."""
    imported = {module: MODULES.keys() & set(imports(module)) for module in MODULES}

    def leads_to(module: str) -> set[str]:
        reached: set[str] = set()
        ahead = set(imported[module])
        while ahead:
            reached |= ahead
            ahead = {name for each in ahead for name in imported[each]} - reached
        return reached

    return sorted(module for module in MODULES if module in leads_to(module))


def test_no_files_import_each_other_in_a_circle() -> None:
    offenders = files_in_circles()
    assert not offenders, f"these files import each other in a circle: {', '.join(offenders)}"


def test_edges_are_imported_by_edges_and_by_config_alone() -> None:
    edges = {module for module in MODULES if is_edge(module)}
    inside = {module for module in below(*APPS) if module not in edges}
    assert edges
    assert not offences(inside, *edges)


def test_the_tools_run_before_anything_is_installed() -> None:
    allowed = (*sys.stdlib_module_names, "tools", "config.secrets_on_disk")
    assert [
        f"{module} imports {name}"
        for module in sorted(below("tools"))
        for name in imports(module)
        if not is_below(name, *allowed) and name != "config"
    ] == []


def test_nobody_imports_the_tools() -> None:
    assert not offences(set(MODULES) - below("tools"), "tools")


def test_production_imports_nothing_of_the_tests() -> None:
    assert not offences(set(MODULES), "tests", "pytest")
