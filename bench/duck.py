"""DuckDB's side: each question answered in the form of SQL that is fastest for it, timed, in a process of its own.

Started by the bench binary with one JSON object of arguments; prints one JSON object. What the variants do and which
knowledge about the month they use is said in README.md. It compares nothing.
"""

import json
import os
import shutil
import sys
import time

import duckdb

TOP = 100
ASKED = 21
# Places in the list of measures; `meters.csv` carries the same.
WRITES, BYTES_IN, BYTE_HOURS, AUDIO = 0, 3, 6, 7
MEASURES = 25
# Measures kept in whole units; all but these and byte-hours (thousands) are kept in millionths.
WHOLE = (3, 4, 5, 17, 18, 23)


def arguments():
    given = json.loads(sys.argv[1])
    given["records"] = os.path.join(given["month"], "records", "*.parquet")
    given["state"] = os.path.join(given["month"], "duckdb", "state.duckdb")
    return given


def connect(given, path=":memory:", read_only=False):
    connection = duckdb.connect(path, read_only=read_only)
    scratch = os.path.join(given["month"], "duckdb", "spill")
    os.makedirs(scratch, exist_ok=True)
    for setting in (
        f"threads = {given['threads']}",
        f"memory_limit = '{given['memory']}'",
        f"temp_directory = '{scratch}'",
        "preserve_insertion_order = false",
        "TimeZone = 'UTC'",
        "enable_progress_bar = false",
    ):
        connection.execute("SET " + setting)
    return connection


def peak():
    """The highest resident memory, read as the other side reads it."""
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM:"))


def forget_peak():
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")


class Stopwatch:
    def __init__(self):
        self.started = self.last = time.perf_counter()
        self.processor = time.process_time()
        self.parts = {}

    def lap(self, part):
        now = time.perf_counter()
        self.parts[part] = self.parts.get(part, 0.0) + now - self.last
        self.last = now

    def seconds(self):
        return self.last - self.started

    def measured(self):
        processor = time.process_time() - self.processor
        return {"seconds": self.seconds(), "parts": self.parts, "processor_seconds": processor, "peak_bytes": peak()}


def meters(connection, given):
    connection.execute(
        f"""CREATE TABLE meter AS SELECT sku, unit, measure::UTINYINT measure, name, steps
        FROM read_csv('{given["month"]}/meters.csv', types = {{'steps': 'DOUBLE'}})"""
    )


# ---- (a) raw records to ranking -------------------------------------------------------------------------------------

# The rows of usage of an hour each, as text.
RAW = """SELECT SubAccountId account, RegionId region, SkuId sku, ConsumedUnit unit,
    epoch_us(ChargePeriodStart) // 3600000000 AS hour, ConsumedQuantity quantity
    FROM read_parquet('{files}') WHERE ChargeCategory = 'Usage' AND ProviderName = 'Example Cloud' {only}"""

# Duplicates out of the rows as they are, then mapped to measures and integer steps, then added up.
TEXT = """SELECT account, region, measure, hour::INTEGER AS hour, sum(CAST(quantity * steps AS BIGINT))::BIGINT quantity
    FROM (SELECT DISTINCT account, region, sku, unit, hour, quantity FROM ({raw})) JOIN meter USING (sku, unit)
    GROUP BY ALL"""

# Mapped first, and all of a key put into one number: account, 16 bits of region, 5 of measure, 20 of hour.
CODED = """SELECT (n.account::BIGINT << 41) + (r.region::BIGINT << 25) + (measure::BIGINT << 20) + hour AS key,
    CAST(quantity * steps AS BIGINT) quantity
    FROM ({raw}) raw JOIN meter USING (sku, unit) JOIN names n ON n.name = raw.account JOIN regions r ON r.name = raw.region"""
UNPACKED = """(key >> 41)::UINTEGER account, ((key >> 25) & 65535)::USMALLINT region, ((key >> 20) & 31)::UTINYINT measure,
    (key & 1048575)::INTEGER AS hour"""
CODED_SUMS = f"""SELECT {UNPACKED}, quantity FROM
    (SELECT key, sum(quantity)::BIGINT quantity FROM (SELECT DISTINCT key, quantity FROM ({CODED})) GROUP BY key)"""

NUMBERED = """CREATE TABLE {table} AS SELECT (row_number() OVER () - 1)::{type} {number}, name
    FROM (SELECT DISTINCT {column} AS name FROM read_parquet('{files}'))"""


def roll_up(connection, given, variant):
    """The month's hourly rollup, exact duplicates counted once; says which table has the accounts' names, if any."""
    form, by_day = VARIANTS[variant]
    files = given["records"]
    text = "account VARCHAR, region VARCHAR"
    if form is CODED_SUMS:
        text = "account UINTEGER, region USMALLINT"
        for table, number, kind, column in (
            ("names", "account", "UINTEGER", "SubAccountId"),
            ("regions", "region", "USMALLINT", "RegionId"),
        ):
            connection.execute(NUMBERED.format(table=table, number=number, type=kind, column=column, files=files))
    connection.execute(f"CREATE TABLE hourly ({text}, measure UTINYINT, hour INTEGER, quantity BIGINT)")
    for only in days(connection, files) if by_day else [""]:
        connection.execute("INSERT INTO hourly " + form.format(raw=RAW.format(files=files, only=only)))
    return "names" if form is CODED_SUMS else None


def days(connection, files):
    """A charge day at a time: equal rows have equal charge days, and row groups of other days are passed over."""
    sql = f"SELECT min(ChargePeriodStart)::DATE, max(ChargePeriodStart)::DATE FROM read_parquet('{files}')"
    first, last = connection.execute(sql).fetchone()
    for day in range(first.toordinal(), last.toordinal() + 1):
        start, end = type(first).fromordinal(day), type(first).fromordinal(day + 1)
        yield f"AND ChargePeriodStart >= TIMESTAMPTZ '{start}' AND ChargePeriodStart < TIMESTAMPTZ '{end}'"


VARIANTS = {
    "text": (TEXT, False),
    "text-daily": (TEXT, True),
    "coded": (CODED_SUMS, False),
    "coded-daily": (CODED_SUMS, True),
}


# ---- the ranking, from whichever rollup -----------------------------------------------------------------------------

# What each account wrote, transcribed and took in, by hour, and with it which accounts reported in which hour.
CELLS_OF_LONG = """SELECT account, region, hour,
    (sum(quantity) FILTER (measure = {WRITES}))::BIGINT writes, (sum(quantity) FILTER (measure = {AUDIO}))::BIGINT audio,
    (sum(quantity) FILTER (measure = {BYTES_IN}))::BIGINT bytes
    FROM {table} WHERE hour >= {at} - 192 AND hour < {at} GROUP BY account, region, hour"""
CELLS_OF_WIDE = """SELECT account, region, hour, m{WRITES} writes, m{AUDIO} audio, m{BYTES_IN} bytes
    FROM {table} WHERE hour >= {at} - 192 AND hour < {at}"""

# An hour of a region is complete when data six hours later is known and half as many accounts report as a day before.
COMPLETE = """CREATE OR REPLACE TEMP TABLE complete AS
WITH reporting AS (SELECT region, hour, count(*) n FROM cells GROUP BY ALL),
latest AS (SELECT region, max(hour) latest FROM reporting GROUP BY region),
grid AS (SELECT region, latest, unnest(range({at} - 168, {at}))::INTEGER AS hour FROM latest)
SELECT grid.region, grid.hour FROM grid
LEFT JOIN reporting AS own ON own.region = grid.region AND own.hour = grid.hour
LEFT JOIN reporting AS before ON before.region = grid.region AND before.hour = grid.hour - 24
WHERE latest >= grid.hour + 6 AND coalesce(own.n, 0) * 2 >= coalesce(before.n, 0)"""

CALLS = """CREATE OR REPLACE TEMP TABLE calls AS
WITH whole AS (SELECT account, coalesce(writes, 0) // 1000000 objects, coalesce(audio, 0) // 1000000 // 120 b,
        coalesce(bytes, 0) bytes, coalesce(bytes, 0) // 1900000 c
    FROM cells SEMI JOIN complete USING (region, hour)
    WHERE (writes IS NOT NULL)::INT + (audio IS NOT NULL)::INT + (bytes IS NOT NULL)::INT >= 2),
estimates AS (SELECT account,
    CASE WHEN objects > 0 AND bytes // objects BETWEEN 65536 AND 16777216 THEN objects ELSE 0 END a, b, c FROM whole)
SELECT account, greatest(least(a, b), least(greatest(a, b), c)) calls FROM estimates"""

# The 95th percentile by nearest rank: with n complete hours, and zeros in those without calls.
PERCENTILES = """CREATE OR REPLACE TEMP TABLE ranking AS
WITH accounts AS (SELECT account, any_value(region) region, min(hour) AS first FROM cells GROUP BY account),
by_region AS (SELECT region, list(hour) AS complete_hours, count(*) n FROM complete GROUP BY region),
most AS (SELECT account, list(calls ORDER BY calls DESC) calls FROM calls WHERE calls > 0 GROUP BY account),
counted AS (SELECT account, CASE WHEN first <= {at} - 168 THEN n ELSE len(list_filter(complete_hours, lambda h: h >= first)) END n
    FROM accounts JOIN by_region USING (region))
SELECT account, coalesce(calls[n - (n * 95 + 99) // 100 + 1], 0) p95 FROM counted LEFT JOIN most USING (account)
WHERE n > 0"""

TOTALS_OF_LONG = """CREATE OR REPLACE TEMP TABLE totals AS SELECT account, measure, sum(quantity)::BIGINT total
    FROM {table} SEMI JOIN complete USING (region, hour) WHERE hour >= {at} - 168 AND hour < {at} GROUP BY account, measure"""
TOTALS_OF_WIDE = """CREATE OR REPLACE TEMP TABLE totals AS
    UNPIVOT (SELECT account, {sums} FROM {table} SEMI JOIN complete USING (region, hour)
    WHERE hour >= {at} - 168 AND hour < {at} GROUP BY account) ON {columns} INTO NAME m VALUE total"""


def whole(column, measure):
    """Whole units of a quantity in its measure's steps."""
    return f"""CASE WHEN {measure} IN {WHOLE} THEN {column} WHEN {measure} = {BYTE_HOURS} THEN {column} * 1000
        ELSE {column} // 1000000 END"""


def rank(connection, at, table="hourly", wide=False, names=None):
    """The ranking as of an hour; with `names`, accounts are numbers whose text that table has."""
    fill = {"at": at, "table": table, "WRITES": WRITES, "AUDIO": AUDIO, "BYTES_IN": BYTES_IN}
    cells = (CELLS_OF_WIDE if wide else CELLS_OF_LONG).format(**fill)
    # Rows of the wide table are cells already; those of the long one are made once.
    connection.execute(f"CREATE OR REPLACE TEMP {'VIEW' if wide else 'TABLE'} cells AS {cells}")
    connection.execute(COMPLETE.format(**fill))
    connection.execute(CALLS)
    connection.execute(PERCENTILES.format(**fill))
    if wide:
        columns = [f"m{place}" for place in range(MEASURES)]
        sums = ", ".join(f"sum({column})::BIGINT {column}" for column in columns)
        connection.execute(TOTALS_OF_WIDE.format(sums=sums, columns=", ".join(columns), **fill))
        connection.execute("CREATE OR REPLACE TEMP VIEW sums AS SELECT m[2:]::UTINYINT measure, total FROM totals")
    else:
        connection.execute(TOTALS_OF_LONG.format(**fill))
        connection.execute("CREATE OR REPLACE TEMP VIEW sums AS SELECT measure, total FROM totals")
    name = "name" if names else "account"
    join = f"JOIN {names} USING (account)" if names else ""
    top = connection.execute(
        f"SELECT {name}, p95 FROM ranking {join} ORDER BY p95 DESC, {name} LIMIT {TOP}"
    ).fetchall()
    accounts = connection.execute("SELECT count(*) FROM ranking").fetchone()[0]
    sums = connection.execute(
        f"""SELECT name, sum({whole("total", "measure")})::HUGEINT::VARCHAR FROM sums JOIN meter USING (measure)
        GROUP BY name HAVING sum({whole("total", "measure")}) <> 0"""
    ).fetchall()
    return {"at": at, "accounts": accounts, "top": [list(row) for row in top], "totals": dict(sums)}


def rank_from_nothing(given):
    watch = Stopwatch()
    connection = connect(given)
    meters(connection, given)
    names = roll_up(connection, given, given["variant"])
    watch.lap("rollup")
    # The hour at which all is known.
    at = connection.execute("SELECT max(hour) + 1 FROM hourly").fetchone()[0]
    answer = rank(connection, at, names=names)
    watch.lap("rank")
    return {**watch.measured(), "answer": answer}


def state(given):
    """What the other questions start from, on disk: sorted by day and account, so that little is read for one account."""
    if os.path.exists(given["state"]):
        os.remove(given["state"])
    watch = Stopwatch()
    connection = connect(given)
    meters(connection, given)
    roll_up(connection, given, "coded-daily")
    connection.execute(f"ATTACH '{given['state']}' AS state")
    for table in ("names", "regions", "meter"):
        connection.execute(f"CREATE TABLE state.{table} AS FROM {table}")
    connection.execute("SET preserve_insertion_order = true")
    connection.execute("CREATE TABLE state.hourly AS FROM hourly ORDER BY hour // 24, account, measure, hour")
    connection.execute("DETACH state")
    watch.lap("all")
    return {**watch.measured(), "bytes": os.path.getsize(given["state"])}


# ---- (b) one hourly tick --------------------------------------------------------------------------------------------

# A new file's rows, each once, that were not counted before.
FRESH = f"""CREATE OR REPLACE TEMP TABLE fresh AS
WITH rows AS (SELECT {UNPACKED}, quantity FROM (SELECT DISTINCT key, quantity FROM ({CODED})))
SELECT * FROM rows ANTI JOIN (FROM seen WHERE hour >= (SELECT min(hour) FROM rows)) s
    USING (account, region, measure, hour, quantity)"""
NEW_NAMES = """INSERT INTO {table} SELECT (SELECT count(*) FROM {table}) + row_number() OVER () - 1, name
    FROM (SELECT DISTINCT {column} AS name FROM read_parquet('{file}')) ANTI JOIN {table} USING (name)"""


def ticks(given):
    wide = given["variant"] == "upsert-wide"
    connection = connect(given)
    load(connection, given)
    at = connection.execute("SELECT max(hour) + 1 FROM hourly").fetchone()[0]
    prepare(connection, given["variant"], at)
    forget_peak()
    out = []
    for file in given["ticks"]:
        watch = Stopwatch()
        at += 1
        for table, column in (("names", "SubAccountId"), ("regions", "RegionId")):
            connection.execute(NEW_NAMES.format(table=table, column=column, file=file))
        raw = RAW.format(files=file, only="")
        connection.execute(FRESH.format(raw=raw))
        connection.execute("INSERT INTO seen FROM fresh")
        watch.lap("unseen")
        new = connection.execute("SELECT count(*) FROM fresh").fetchone()[0]
        connection.execute(write(given["variant"]))
        watch.lap("write")
        table = "hourly" if given["variant"] == "recompute" else "rollup"
        answer = rank(connection, at, table=table, wide=wide, names="names")
        watch.lap("rank")
        out.append({"seconds": watch.seconds(), "parts": watch.parts, "new": new, "answer": answer})
    return {"ticks": out, "peak_bytes": peak()}


def load(connection, given):
    """The state in memory."""
    connection.execute(f"ATTACH '{given['state']}' AS state (READ_ONLY)")
    connection.execute("SET preserve_insertion_order = true")
    for table in ("names", "regions", "meter", "hourly"):
        connection.execute(f"CREATE TABLE {table} AS FROM state.{table}")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("DETACH state")
    # The rows of the hours to come; none of the month's come again after it.
    connection.execute("CREATE TABLE seen AS FROM hourly LIMIT 0")


def prepare(connection, variant, at):
    """The table that is upserted holds the nine days that a ranking can need, so that its index stays small."""
    recent = f"FROM hourly WHERE hour >= {at} - 216"
    if variant == "upsert-long":
        connection.execute(
            """CREATE TABLE rollup (account UINTEGER, region USMALLINT, measure UTINYINT, hour INTEGER, quantity BIGINT,
            PRIMARY KEY (account, region, measure, hour))"""
        )
        connection.execute(f"INSERT INTO rollup SELECT account, region, measure, hour, quantity {recent}")
    elif variant == "upsert-wide":
        columns = ", ".join(f"m{place} BIGINT" for place in range(MEASURES))
        connection.execute(
            f"""CREATE TABLE rollup (account UINTEGER, region USMALLINT, hour INTEGER, {columns},
            PRIMARY KEY (account, region, hour))"""
        )
        connection.execute(f"INSERT INTO rollup SELECT account, region, hour, {wide_sums()} {recent} GROUP BY ALL")
    else:
        return
    connection.execute("DROP TABLE hourly")


def wide_sums():
    return ", ".join(f"(sum(quantity) FILTER (measure = {place}))::BIGINT m{place}" for place in range(MEASURES))


def write(variant):
    sums = "SELECT account, region, measure, hour, sum(quantity)::BIGINT FROM fresh GROUP BY ALL"
    if variant == "recompute":
        return f"INSERT INTO hourly {sums}"
    if variant == "upsert-long":
        return f"""INSERT INTO rollup {sums} ON CONFLICT DO UPDATE SET quantity = quantity + excluded.quantity"""
    add = ", ".join(
        f"m{place} = CASE WHEN m{place} IS NULL THEN excluded.m{place} ELSE m{place} + coalesce(excluded.m{place}, 0) END"
        for place in range(MEASURES)
    )
    return f"""INSERT INTO rollup SELECT account, region, hour, {wide_sums()} FROM fresh GROUP BY ALL
        ON CONFLICT DO UPDATE SET {add}"""


# ---- (c) explain one entity -----------------------------------------------------------------------------------------

# Who reported in the account's region, for which hours are complete there.
REGION = """CREATE OR REPLACE TEMP TABLE cells AS SELECT region, hour, account FROM hourly
    WHERE hour >= {at} - 192 AND hour < {at} AND region = (SELECT any_value(region) FROM own) GROUP BY ALL"""


def explain(connection, account):
    at = connection.execute("SELECT max(hour) + 1 FROM hourly").fetchone()[0]
    # First its number, so that the scan of the table is told which one it is.
    number = connection.execute("SELECT account FROM names WHERE name = ?", [account]).fetchone()[0]
    connection.execute(f"CREATE OR REPLACE TEMP TABLE own AS FROM hourly WHERE account = {number} AND hour >= {at} - 192")
    connection.execute(REGION.format(at=at))
    connection.execute(COMPLETE.format(at=at))
    fill = {"at": at, "table": "own", "WRITES": WRITES, "AUDIO": AUDIO, "BYTES_IN": BYTES_IN}
    connection.execute(f"CREATE OR REPLACE TEMP TABLE cells AS {CELLS_OF_LONG.format(**fill)}")
    connection.execute(CALLS)
    connection.execute(PERCENTILES.format(**fill))
    connection.execute(TOTALS_OF_LONG.format(**fill))
    totals = connection.execute(
        f"""SELECT name, ({whole("total", "measure")})::VARCHAR FROM totals JOIN meter USING (measure)
        WHERE {whole("total", "measure")} <> 0"""
    ).fetchall()
    series = connection.execute(
        f"""SELECT name, hour, sum(quantity)::BIGINT FROM own JOIN meter USING (measure) WHERE hour >= {at} - 168
        GROUP BY measure, name, hour HAVING sum(quantity) <> 0 ORDER BY measure, hour"""
    ).fetchall()
    p95 = connection.execute("SELECT p95 FROM ranking").fetchone()[0]
    return {"account": account, "p95": p95, "totals": dict(totals), "series": [list(row) for row in series]}


def explain_warm(given):
    connection = connect(given)
    load(connection, given)
    asked = []
    for _ in range(ASKED):
        watch = Stopwatch()
        answer = explain(connection, given["account"])
        watch.lap("all")
        asked.append(watch.seconds())
    return {"seconds": sorted(asked)[ASKED // 2], "peak_bytes": peak(), "answer": answer}


def explain_cold(given):
    watch = Stopwatch()
    connection = connect(given, given["state"], read_only=True)
    answer = explain(connection, given["account"])
    watch.lap("all")
    return {**watch.measured(), "answer": answer}


QUESTIONS = {
    "rank": rank_from_nothing,
    "state": state,
    "tick": ticks,
    "explain-warm": explain_warm,
    "explain-cold": explain_cold,
}

if __name__ == "__main__":
    wanted = arguments()
    measured = QUESTIONS[wanted["question"]](wanted)
    shutil.rmtree(os.path.join(wanted["month"], "duckdb", "spill"), ignore_errors=True)
    print(json.dumps({"version": duckdb.__version__, **measured}))
