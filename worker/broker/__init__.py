"""The broker: kombu's transports with our corrections, and which entries may reach Celery."""
