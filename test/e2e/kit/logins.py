"""Logs in again and again with what the mounted Secret says now, as an application that reads it at each connection."""
import json
import os
import time

os.environ.setdefault("USER", "logins")
import pymysql  # noqa: E402

HOSTS, DATABASE, REST_S = os.environ["HOSTS"].split(","), os.environ["DB_NAME"], 0.1
# Access denied, account locked, unknown user: an answer of the server, whatever the network does.
REFUSED = (1045, 1698, 4151, 3118)
status = {"logins": 0, "refused": 0, "broken": 0, "last": "", "user": ""}


def secret(key):
    with open(f"/secret/{key}", encoding="utf-8") as file:
        return file.read()


while True:
    for host in HOSTS:
        status["user"] = user = secret("user")
        try:
            pymysql.connect(host=host, database=DATABASE, user=user, password=secret("password"), connect_timeout=2, read_timeout=5).close()
            status["logins"] += 1
        except (pymysql.MySQLError, OSError) as problem:
            kind = "refused" if problem.args and problem.args[0] in REFUSED else "broken"
            status[kind] += 1
            status["last"] = f"{host} as {user}: {problem}"
        with open("/tmp/status.new", "w", encoding="utf-8") as file:
            json.dump(status, file)
        os.replace("/tmp/status.new", "/tmp/status")
    time.sleep(REST_S)
