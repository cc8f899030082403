"""The outage laboratory: a real appliance and real collectors with a network between them that is broken on purpose."""
