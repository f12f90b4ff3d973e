"""An installation for the tests with AWS's own clients: brought up by ecctl in a temporary
directory, and gone without a trace at the end."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

BIN = os.environ["EC_BIN_DIR"]


class Installation:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="ec-aws-")
        self.environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": self.dir,  # nobody's profile
            "LC_ALL": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": "emucache",
            "AWS_SECRET_ACCESS_KEY": "emucache",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }

    def __enter__(self):
        try:
            self.ecctl("up")
            self.endpoint = json.loads(self.ecctl("env", "-o", "json"))["AWS_ENDPOINT_URL"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.ecctl("down", "--discard", check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def ecctl(self, *words, check=True):
        return run([BIN + "/ecctl", "--dir", self.dir + "/installation", *words],
                   self.environment, check)


def run(command, environment, check=True):
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=300)
    if check and done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stdout


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in what))


def eventually(condition, what, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not in time: " + what)
        time.sleep(0.02)


def main(*tests):
    """Runs the tests on one installation, each of which cleans up after itself."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the installation is taken down
    with Installation() as installation:
        for test in tests:
            begin = time.monotonic()
            test(installation)
            print(f"{test.__name__}: {time.monotonic() - begin:.1f} s", flush=True)
    sys.exit(0)
