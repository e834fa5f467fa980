"""What observability tools need to know of a shop: rules for Prometheus, a dashboard for Grafana.

All of it follows from the objectives in `base/slo.py` and the series in `base/series.py`. What counts lives with those;
what shows a running shop to its operator in a browser lives in `http/operations`.
"""
