# Creme CRM 2.7.13 by hand, as its manual does it: the parts that the references of bare_up and host_install share.
# Read by another script, which sets `database_port`. Nothing here is hardened, supervised or backed up: what it makes
# is thrown away with the machine.

base=/srv/creme

mark() {
    echo "mark $1 $(date +%s.%N)"
}

as_creme() {
    runuser -u creme -- env HOME=$base PYTHONPATH=$base/site DJANGO_SETTINGS_MODULE=crmsite.settings PATH="$base/venv/bin:$PATH" "$@"
}

sql() { # DATABASE QUERY
    runuser -u postgres -- psql -X -p "$database_port" -d "$1" -Atc "$2"
}

make_database() {
    sql postgres "create role creme login"
    sql postgres "create database creme owner creme"
}

make_user() {
    useradd --system --create-home --home-dir $base --shell /usr/sbin/nologin creme
    chmod 755 $base
}

write_site() { # SITE-ADDRESS
    install -d -o creme -g creme $base/site $base/site/crmsite $base/upload $base/static $base/run
    cat >$base/site/crmsite/settings.py <<SETTINGS
from creme.settings import *
SECRET_KEY = "$(head -c 32 /dev/urandom | base64)"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
SITE_DOMAIN = "$1"
LANGUAGE_CODE, TIME_ZONE = "en", "UTC"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "creme",
        "USER": "creme",
        "HOST": "/var/run/postgresql",
        "PORT": "$database_port",
    }
}
MEDIA_ROOT, STATIC_ROOT, PRODUCTION_MEDIA_URL = "$base/upload", "$base/static", "/static_media/"
GENERATED_MEDIA_NAMES_FILE = "$base/site/_generated_media_names.py"
GENERATED_MEDIA_NAMES_MODULE = "_generated_media_names"
JOBMANAGER_BROKER = "unix_socket://$base/run"
SETTINGS
    cat >$base/site/crmsite/wsgi.py <<'WSGI'
from django.core.wsgi import get_wsgi_application
application = get_wsgi_application()
WSGI
}

fill_database() {
    cd $base
    as_creme creme migrate --noinput
    as_creme creme creme_populate
    as_creme creme generatemedia
}

write_proxy() { # LISTEN PORT-OF-GUNICORN
    cat >/etc/nginx/conf.d/creme.conf <<NGINX
server {
    listen $1;
    location /static_media/ { alias $base/static/; }
    location / {
        proxy_pass http://127.0.0.1:$2;
        proxy_set_header Host \$http_host;
    }
}
NGINX
}

await_login() { # ADDRESS
    python3 - "$1/creme_login/" <<'PYTHON'
import sys, time, urllib.request
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
deadline = time.monotonic() + 120
while True:
    try:
        with direct.open(sys.argv[1], timeout=30) as answer:
            if answer.status == 200 and b"csrfmiddlewaretoken" in answer.read():
                break
    except OSError:
        pass
    if time.monotonic() > deadline:
        sys.exit("the login page does not answer")
    time.sleep(0.1)
PYTHON
}
