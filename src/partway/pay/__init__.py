"""Door 3: customers with a link, gateways with a signature."""
