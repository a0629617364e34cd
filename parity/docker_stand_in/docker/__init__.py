"""What Flyte's local mode asks of the package `docker`, for machines without Docker.

A container of tunesmith is the program itself with its volumes where they would be in the image: in a mount namespace of its
own, with an empty /var and none of this process's environment. What it cannot show is whether the image can be built.
"""

import os
import subprocess

PROGRAM = os.environ["TUNESMITH_BIN"]
STARTED = os.environ["TUNESMITH_CONTAINERS"]

# Mounts SOURCE TARGET ... up to --, then becomes the command after it.
MOUNTING = """
mount -t tmpfs none /var
while [ "$1" != -- ]; do
    mkdir -p "$2"
    mount --bind "$1" "$2"
    shift 2
done
shift
exec "$@"
"""


class Container:
    def __init__(self, command: list[str], volumes: dict) -> None:
        mounts = [word for source, how in volumes.items() for word in (source, how["bind"])]
        within = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-euc", MOUNTING, "sh", *mounts, "--", PROGRAM, *command]
        for source in volumes:
            os.makedirs(source, exist_ok=True)
        environment = {"PATH": os.environ["PATH"], "HOME": "/var/home"}
        self.done = subprocess.run(within, check=False, capture_output=True, env=environment, stdin=subprocess.DEVNULL)
        with open(STARTED, "a", encoding="utf-8") as file:
            file.write(f"{self.done.returncode} {' '.join(command)}\n")
        if self.done.returncode != 0:
            print((self.done.stdout + self.done.stderr).decode())

    def wait(self) -> dict:
        return {"StatusCode": self.done.returncode}

    def logs(self, **_settings) -> bytes:
        return self.done.stdout + self.done.stderr

    def remove(self) -> None:
        pass


class Containers:
    def run(self, _image: str, command: list[str], volumes: dict, **_settings) -> Container:
        return Container(command, volumes)


class Images:
    def list(self, **_settings) -> list[str]:
        return ["there"]


class Client:
    containers = Containers()
    images = Images()


def from_env() -> Client:
    return Client()
