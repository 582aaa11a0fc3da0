import services


def test_does_nothing_where_servers_answer(monkeypatch):
    def run(command, **options):
        if "EXISTS" in command[-1]:
            options = {"stdout": "1\n"}
            return services.subprocess.CompletedProcess(command, 0, **options)
        raise AssertionError(command)

    monkeypatch.setattr(services.sys, "argv", ["services.py"])
    monkeypatch.setattr(services, "answers", lambda port: True)
    monkeypatch.setattr(services, "headers", lambda: None)
    monkeypatch.setattr(services.subprocess, "run", run)
    services.main()


def test_starts_what_is_there_and_installs_what_is_not(monkeypatch):
    done = []
    for service, present in ((services.PostgreSQL, True), (services.MariaDB, False)):
        monkeypatch.setattr(service, "present", lambda self, present=present: present)
        for step in ("install", "start", "prepare"):
            monkeypatch.setattr(
                service,
                step,
                lambda self, step=step: done.append((type(self).__name__, step)),
            )
    monkeypatch.setattr(services.sys, "argv", ["services.py"])
    monkeypatch.setattr(services, "answers", lambda port: False)
    monkeypatch.setattr(services, "headers", lambda: None)
    services.main()
    assert done == [
        ("PostgreSQL", "start"),
        ("PostgreSQL", "prepare"),
        ("MariaDB", "install"),
        ("MariaDB", "start"),
        ("MariaDB", "prepare"),
    ]
