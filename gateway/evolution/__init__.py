"""Evolution API v2, an open server in front of WhatsApp Web."""
