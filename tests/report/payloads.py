"""Two hundred texts that would run, call out or break a page which reads them as anything but text."""

from itertools import product

_RUN = ("window.pwned=1", "alert(1)", "alert`1`", "fetch('http://127.0.0.1:9/')", "import('http://127.0.0.1:9/')")
_SHELLS = (
    "<script>{}</script>",
    "</script><script>{}</script>",
    "<!--<script>{}</script>",
    "--><script>{}</script>",
    "<img src=x onerror={}>",
    "<img src='http://127.0.0.1:9/x.png' onload={}>",
    "<svg onload={}>",
    "<svg><script>{}</script></svg>",
    "<svg><animate onbegin={} attributeName=x dur=1s>",
    '<iframe src="javascript:{}"></iframe>',
    "<iframe srcdoc='<script>{}</script>'></iframe>",
    '<a href="javascript:{}">x</a>',
    "<body onload={}>",
    "<details open ontoggle={}>",
    "<input autofocus onfocus={}>",
    "<video><source onerror={}></video>",
    "<math><mtext><script>{}</script></mtext></math>",
    "<style>@import 'http://127.0.0.1:9/{}';</style>",
    "<link rel=stylesheet href='http://127.0.0.1:9/?{}'>",
    "<base href='http://127.0.0.1:9/'><script src={}></script>",
    '<meta http-equiv=refresh content="0;url=javascript:{}">',
    '<object data="javascript:{}"></object>',
    '<form action="javascript:{}"><button autofocus>x</button></form>',
    '"><script>{}</script>',
    "'><script>{}</script>",
    '" onmouseover={} x="',
    "' onfocus={} tabindex=0 autofocus x='",
    "</title><script>{}</script>",
    "</style><script>{}</script>",
    "</noscript><script>{}</script>",
    "</textarea><script>{}</script>",
    "]]><script>{}</script>",
    "${{{}}}",
    "{{{{constructor.constructor('{}')()}}}}",
    "javascript:{}",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e",
    "&lt;script&gt;{}&lt;/script&gt;",
    "\u2028{}//\u2029",
    "%%script%%{}%%record%%",
    "\x00<scr\x00ipt>{}</script>",
)

PAYLOADS = tuple(shell.format(code) for shell, code in product(_SHELLS, _RUN))

# Fields whose values the page chooses between, and arrays that are no text.
_FIXED = {"schema", "verdict", "kind", "role", "row", "x", "y", "label"}


def poison(record, turn):
    """Replace every text of a record, names of columns included, by payloads; return it with the payloads used."""
    count = turn * 67
    names, used = {}, set()

    def payload(text):
        nonlocal count
        count += 1
        used.add(PAYLOADS[count % len(PAYLOADS)])
        return PAYLOADS[count % len(PAYLOADS)] if count % 3 else f"{text} {PAYLOADS[count % len(PAYLOADS)]}"

    def renamed(name):
        names.setdefault(name, f"{payload(name)} {len(names)}")
        return names[name]

    def walk(value, field):
        if isinstance(value, dict):
            own = field in ("row values", "params", "versions", "files", "options")
            return {
                (renamed(key) if own else key): walk(
                    item, "row values" if field == "sample" else key if not own else "value"
                )
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [walk(item, field) for item in value]
        if isinstance(value, str) and field not in _FIXED:
            return renamed(value) if field in ("column", "name") else payload(value)
        return value

    return walk(record, ""), used
