"""What the controller shows: to whom, that it is true, and that nothing in it can do harm."""

from functools import partial

from tests.mutations.mutation import Mutation

HTTP = "reconciler/controller/http"
UNIT = "tests/unit/controller/http"

LISTEN = partial(Mutation, file=f"{HTTP}/listen.py", tests=(f"{UNIT}/test_listen.py",))
AUTH = partial(Mutation, file=f"{HTTP}/auth.py", tests=(f"{UNIT}/test_auth.py",))
TLS = partial(Mutation, file=f"{HTTP}/tls.py")
HANDLER = partial(Mutation, file=f"{HTTP}/handler.py")
PAGES = partial(Mutation, file=f"{HTTP}/pages.py")
MARKUP = partial(Mutation, file=f"{HTTP}/markup.py", tests=(f"{UNIT}/test_markup.py",))
METRICS = partial(
    Mutation, file="reconciler/report/metrics.py", tests=("tests/unit/report/test_metrics.py",)
)
GAUGES = partial(
    Mutation, file="reconciler/report/gauges.py", tests=("tests/unit/report/test_metrics.py",)
)
SUMMARY = partial(
    Mutation,
    file="reconciler/report/status_summary.py",
    tests=("tests/unit/report/test_status_text.py",),
)

ABOUT = ("pages",)

MUTATIONS = (
    LISTEN(
        "the page is shown to other machines without encryption or password",
        ABOUT,
        "if lacks and not listen.is_loopback:",
        "if False:",
    ),
    AUTH(
        "any password will do",
        ABOUT,
        "return hmac.compare_digest(_digest(presented), self._digest)",
        "return bool(presented)",
    ),
    AUTH(
        "a secret that others can read is taken",
        ABOUT,
        "if stat.S_IMODE(mode) & _NOT_FOR_OTHERS:",
        "if False:",
    ),
    TLS(
        "a key that others can read is taken",
        ABOUT,
        "refuse_readable(self.key, self.key.stat().st_mode)",
        "self.key.stat()",
        tests=(f"{UNIT}/test_server.py::test_a_key_that_others_can_read_is_refused",),
    ),
    HANDLER(
        "the password is not asked for",
        ABOUT,
        'if auth is not None and not auth.accepts(self.headers.get("Authorization")):',
        'if auth is not None and "Authorization" not in self.headers:',
        tests=(f"{UNIT}/test_server.py::test_nothing_is_told_to_strangers",),
    ),
    HANDLER(
        "a web page elsewhere may read the status",
        ABOUT,
        "if self._site.only_by_address and not self._is_by_address():",
        "if False:",
        tests=(
            f"{UNIT}/test_server.py::test_a_page_elsewhere_can_not_ask_under_a_name_of_its_own",
        ),
    ),
    HANDLER(
        "a body is taken for the next request",
        ABOUT,
        'return length != "0" or "Transfer-Encoding" in self.headers',
        "return False",
        tests=(f"{UNIT}/test_server.py::test_what_can_not_be_understood_ends_the_connection",),
    ),
    PAGES(
        "a controller that hangs is healthy",
        ABOUT,
        "if age <= self._heartbeat_limit:",
        "if True:",
        tests=(f"{UNIT}/test_server.py::test_a_healthy_controller_is_one_whose_heart_beats",),
    ),
    MARKUP(
        "hosts' words are markup",
        ABOUT,
        "return Markup(html.escape(clean(part), quote=True))",
        "return Markup(clean(part))",
    ),
    MARKUP(
        "hosts' words can end an attribute",
        ABOUT,
        "return Markup(html.escape(clean(part), quote=True))",
        "return Markup(html.escape(clean(part), quote=False))",
    ),
    METRICS(
        "one part that fails ends the scrape",
        ABOUT,
        "        failed(part)\n        return []",
        "        raise",
    ),
    METRICS(
        "hosts' words end the scrape",
        ABOUT,
        "cleaned = {tuple(map(clean, labels)): value for labels, value in samples.items()}",
        "cleaned = samples",
    ),
    GAUGES(
        "broken specs are reported as loaded",
        ABOUT,
        "{(): specs.problem is None}",
        "{(): True}",
    ),
    GAUGES(
        "every host is reported as seen",
        ABOUT,
        "{(host.name,): is_ready(host) for host in hosts}",
        "{(host.name,): True for host in hosts}",
    ),
    SUMMARY(
        "an unseen host is no reason for another exit code",
        ABOUT,
        "        or not all(is_ready(host) for host in status.hosts)\n",
        "",
    ),
    SUMMARY(
        "what is blocked is no reason for another exit code",
        ABOUT,
        "return ExitCode.BLOCKED if blocked else ExitCode.DONE",
        "return ExitCode.DONE",
    ),
)
