"""WAHA, an open server in front of WhatsApp Web with three engines: WEBJS, NOWEB and GOWS."""
