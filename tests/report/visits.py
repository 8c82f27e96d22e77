"""A page opened from the disk in a real browser, with everything noted that it should not do."""


class Visit:
    """One page, and what it asked for, said or tried."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(10_000)
        self.requests, self.messages, self.dialogs = [], [], []
        self.page.on("request", self._request)
        self.page.on("console", lambda message: self.messages.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.address = path.as_uri()
        self.page.goto(self.address)

    def _request(self, request):
        if request.url.split("#")[0] != self.address and not request.url.startswith(("data:", "blob:")):
            self.requests.append(request.url)

    def _dialog(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def wait(self):
        self.page.wait_for_function("document.documentElement.dataset.ready === 'yes'", timeout=30_000)
        return self

    def ask(self, script, argument=None):
        return self.page.evaluate(script, argument)

    def saved(self, act):
        """Return what the page saves when `act` is done: the name of the file and its bytes."""
        with self.page.expect_download() as waiting:
            act()
        return waiting.value.suggested_filename, waiting.value.path().read_bytes()

    @property
    def clean(self):
        return (self.requests, self.messages, self.dialogs) == ([], [], [])

    def close(self):
        assert self.clean, (self.requests, self.messages, self.dialogs)
        self.context.close()
