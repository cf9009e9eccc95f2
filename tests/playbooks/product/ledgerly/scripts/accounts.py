# Fed to "ledgerly shell": replaces the vendor's default password and creates the monitoring account.
with database() as connection:
    default = digest("admin")
    connection.execute(
        "update account set password = %s where username = 'admin' and password = %s",
        [digest(secret("admin_password")), default],
    )
    connection.execute(
        "insert into account values ('monitor', %s) on conflict (username) do update set password = excluded.password",
        [digest(secret("monitor_password"))],
    )
print("accounts ready")
