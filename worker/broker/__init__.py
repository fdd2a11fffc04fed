"""The broker: kombu's transports with our corrections; which entries may reach Celery."""
