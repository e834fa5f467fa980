"""Payments: what a customer shall pay, and what the payment service says happened."""
