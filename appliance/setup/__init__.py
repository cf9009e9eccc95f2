"""What `appliance up` does: keep the appliance's processes running on this machine, and do the main job once."""
