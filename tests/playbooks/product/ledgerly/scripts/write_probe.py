# Fed to "ledgerly shell" on scratch copies only: creates an entry, reads it back, deletes it.
with database() as connection:
    written = connection.execute("insert into entry (title) values ('probe') returning id").fetchone()[0]
    assert connection.execute("select title from entry where id = %s", [written]).fetchone()[0] == "probe"
    connection.execute("delete from entry where id = %s", [written])
print("write ok")
