"""The lab: disposable Debian hosts with systemd, for every test of machines. README.md beside this says how to use and change it."""
