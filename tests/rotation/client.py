"""A program that logs in over and over with what `clave show` says. Arguments: the entry. It ends with its stdin.

For each login it writes a line: when it had read the entry, when it had tried (seconds since 1970), and `in`, or what
the server said.
"""

from __future__ import annotations

import select
import subprocess
import sys
import time

import psycopg

from clave.model.secret import Secret, find_field

if __name__ == "__main__":
    while not select.select([sys.stdin], [], [], 0.05)[0]:
        argv = [sys.executable, "-m", "clave", "show", sys.argv[1]]
        secret = Secret(subprocess.run(argv, capture_output=True, check=True).stdout)
        user, host, port = (find_field(secret, name) for name in ("user", "host", "port"))
        assert user
        assert host
        assert port
        read = time.time()
        try:
            psycopg.connect(
                host=host.decode(), port=port.decode(), user=user.decode(), password=secret.password.decode(),
                dbname="postgres",
            ).close()  # fmt: skip
            said = "in"
        except psycopg.OperationalError as error:
            said = str(error).splitlines()[0]
        print(read, time.time(), said, flush=True)
