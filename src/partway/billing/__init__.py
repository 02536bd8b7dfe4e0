"""The system: quotes, invoices, payment requests, payments; how money and states change, and nothing else."""
