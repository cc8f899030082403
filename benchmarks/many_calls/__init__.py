"""A great number of mixed calls with every kind of trouble in fast time, and a verdict on what the appliance kept."""
