"""What people look at: the page, later Grafana dashboards and alert rules."""
