"""The appliance as a service of a machine of its own: user, units, web server, releases side by side, its own upgrade and backup."""
