# Creme CRM 2.7.13 by hand on a host that was prepared: the reference of the measure host_install.
# Comes after creme_by_hand.sh and `uv=… lock=…` (the host's uv, the file with the release's lock) in the command of one SSH session.
# Its services run under systemd; what the appliance does beyond (TLS, limits, probes, a record of what was done) is left out.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
web_port=8001

apt-get -q -y install --no-install-recommends gettext libmagic1 libpq5

version=$(ls /usr/lib/postgresql | tail -n 1)
pg_createcluster "$version" creme >/dev/null
database_port=$(pg_lsclusters -h "$version" creme | awk '{print $3}')
systemctl start "postgresql@$version-creme"
make_database

make_user
"$uv" venv --quiet $base/venv
"$uv" pip install --quiet --link-mode copy --python $base/venv/bin/python --require-hashes -r "$lock"
write_site http://127.0.0.1:8080
fill_database

as_service() { # NAME COMMAND…
    name=$1
    shift
    systemd-run --quiet --unit "creme-$name" --uid creme --setenv HOME=$base --setenv PYTHONPATH=$base/site \
        --setenv DJANGO_SETTINGS_MODULE=crmsite.settings "$@"
}
as_service web $base/venv/bin/gunicorn --no-control-socket --workers 2 --bind "127.0.0.1:$web_port" crmsite.wsgi:application
as_service queue $base/venv/bin/creme creme_job_manager
write_proxy 127.0.0.1:8080 "$web_port"
systemctl start nginx
systemctl reload nginx
await_login http://127.0.0.1:8080
