"""`python -m tests.services COMMAND ...`: run COMMAND beside a Valkey and a PostgreSQL of its own."""

import os
import subprocess
import sys

from tests.services.postgres import running_postgres
from tests.services.valkey import running_valkey

if __name__ == "__main__":
    with running_valkey() as redis_url, running_postgres() as database_url:
        services = {"REDIS_URL": redis_url, "DATABASE_URL": database_url}
        code = subprocess.run(sys.argv[1:], env={**os.environ, **services}, check=False).returncode
    sys.exit(code)
