"""Product definitions shipped with the appliance, one folder per CRM, and what reads them."""
