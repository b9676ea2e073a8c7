"""How settings are read, checked and described; what they come to is :mod:`flake8_dbsession.config`."""
