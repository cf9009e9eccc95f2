"""What the appliance remembers: the only SQL of the panel."""
