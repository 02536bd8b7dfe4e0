"""The pages of sign-in and of the profile, under the names that django-allauth reverses."""

from __future__ import annotations

from allauth.account.views import AccountInactiveView
from allauth.mfa.recovery_codes.views import DownloadRecoveryCodesView
from django.views.decorators.cache import never_cache

from . import pages, profile, welcome
from .own_locale import page

urlpatterns = [
    # Without a sign-in.
    page("signin/", pages.SignIn.as_view(), name="account_login"),
    page("signout/", pages.SignOut.as_view(), name="account_logout"),
    page("signin/forgotten/", pages.ForgotPassword.as_view(), name="account_reset_password"),
    page("signin/forgotten/sent/", pages.ForgotPasswordSent.as_view(), name="account_reset_password_done"),
    page(
        "signin/reset/done/", pages.ResetPasswordDone.as_view(), name="account_reset_password_from_key_done"
    ),
    page(
        "signin/inactive/",
        AccountInactiveView.as_view(template_name="staff/signin/inactive.html"),
        name="account_inactive",
    ),
    # After the right password.
    page("signin/code/", never_cache(pages.SecondFactor.as_view()), name="mfa_authenticate"),
    # With a link from a mail.
    page(
        "signin/reset/<str:uidb36>/<str:key>/",
        never_cache(pages.ResetPassword.as_view()),
        name="account_reset_password_from_key",
    ),
    page("welcome/<str:uid>/<str:token>/", welcome.welcome, name="welcome"),
    page("join/<str:token>/", welcome.join, name="join"),
    # Signed in.
    page("profile/", profile.show, name="profile"),
    page("profile/", profile.show, name="mfa_index"),  # the page that allauth returns to
    page("profile/password/", never_cache(pages.ChangePassword.as_view()), name="account_change_password"),
    page("profile/two-factor/", never_cache(pages.EnableTwoFactor.as_view()), name="mfa_activate_totp"),
    page(
        "profile/two-factor/off/", never_cache(pages.DisableTwoFactor.as_view()), name="mfa_deactivate_totp"
    ),
    page(
        "profile/recovery-codes/", never_cache(pages.RecoveryCodes.as_view()), name="mfa_view_recovery_codes"
    ),
    page(
        "profile/recovery-codes/new/",
        never_cache(pages.RegenerateRecoveryCodes.as_view()),
        name="mfa_generate_recovery_codes",
    ),
    page(
        "profile/recovery-codes/download/",
        DownloadRecoveryCodesView.as_view(template_name="staff/profile/recovery_codes.txt"),
        name="mfa_download_recovery_codes",
    ),
    page("profile/sessions/end/", profile.end_sessions, name="end_sessions"),
    page("profile/confirm/", never_cache(pages.Reauthenticate.as_view()), name="account_reauthenticate"),
    page(
        "profile/confirm/code/", never_cache(pages.ReauthenticateByCode.as_view()), name="mfa_reauthenticate"
    ),
]
